/** One row of the mission: a thing the toolkit owes, and the tests that show it is there. */
export interface Row {
  /** `section/name`; stable, so that others can refer to it. */
  readonly id: `${string}/${string}`;
  readonly text: string;
  readonly duty: Duty;
  /** Tests that show all of it, as `path > name`; a row without any is open. */
  readonly closedBy: readonly `${string}.ts > ${string}`[];
  /** What is there of an open row. */
  readonly partly?: string;
}

/**
 * `full`: built here as a whole. `device`: the device's end is built here, the far end is a reference peer in `sim`.
 * `contract`: messages and a conformance test. `rule`: holds for everything.
 */
export type Duty = 'full' | 'device' | 'contract' | 'rule';

export interface Section {
  readonly slug: string;
  readonly title: string;
  readonly about: string;
  readonly rows: readonly Row[];
}

export const openRows = (rows: readonly Row[]): readonly Row[] => rows.filter(({ closedBy }) => closedBy.length === 0);
