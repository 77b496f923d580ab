/** What the decode edge knows of one field; `gen/fields.ts` is a table of these. */
export interface FieldRule {
  /** On the wire. */
  readonly number: number;
  /** `string`, `bytes`, `bool`, `uint32`, `double`, or the name of a message or enum. */
  readonly type: string;
  /** A name of `kinds.ts`. */
  readonly kind?: string;
  readonly isRepeated?: true;
  readonly isOptional?: true;
  /** Of the fields of one group exactly one is there (`oneof`). */
  readonly group?: string;
  /** Most elements of a repeated field. */
  readonly most?: number;
}
