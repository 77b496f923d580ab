/**
 * The one edge between messages and bytes.
 *
 * `decode` refuses what the schema does not allow: a field that is missing, of another kind, too long or too many,
 * an enum value without a word. Unknown fields are passed over, so that a newer peer may say more.
 */
import protobuf from 'protobufjs/minimal.js';
import { readMessage, type Wire, writeMessage } from './codec.ts';
import { enums, messages } from './gen/fields.ts';
import type { Messages } from './gen/types.ts';
import { kinds, maxTextLength } from './kinds.ts';
import type { FieldRule } from './rules.ts';
import { groupsIn, perMessage } from './schema.ts';

const { Writer } = protobuf;
type Writer = InstanceType<typeof Writer>;

export type MessageName = keyof Messages;

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: 'malformed' | 'field-invalid'; readonly detail: string };

/** @throws where `value` breaks its own schema, which is a programmer's error */
export const encode = <N extends MessageName>(name: N, value: Messages[N]): Uint8Array => {
  const wire = toWire(name, value as Record<string, unknown>);
  const largeBytes = bytesIn(wire);
  return largeBytes < leastLargeBytes
    ? writeMessage(Writer.create(), name, wire).finish()
    : writeMessage(writerWith(largeBytes + roomBytes), name, wire).finish(true);
};

export const decode = <N extends MessageName>(name: N, bytes: Uint8Array): Decoded<Messages[N]> => {
  try {
    return { ok: true, value: fromWire(name, readMessage(name, bytes)) as unknown as Messages[N] };
  } catch (error) {
    // protobufjs throws RangeError and Error for every malformed input (facts of its reader); ours is FieldInvalid.
    const detail = error instanceof Error ? error.message : String(error);
    return { ok: false, reason: error instanceof FieldInvalid ? 'field-invalid' : 'malformed', detail };
  }
};

/** What is about a segment of an image, or a range of a file. */
const leastLargeBytes = 16 * 1024;
/** For the fields beside them. What does not fit makes the writer grow, and is no fault. */
const roomBytes = 512;

const bytesIn = (wire: object): number => {
  let total = 0;
  for (const value of Object.values(wire))
    if (value instanceof Uint8Array) total += value.length;
    else if (typeof value === 'object' && value !== null && !Array.isArray(value)) total += bytesIn(value);
  return total;
};

/** A writer grows by doubling and ends with a copy: of 256 KiB it would make 1 MiB of garbage. */
const writerWith = (memoryBytes: number): Writer => {
  const ordinary = Writer.initialBufferSize;
  Writer.initialBufferSize = memoryBytes;
  try {
    return Writer.create();
  } finally {
    Writer.initialBufferSize = ordinary;
  }
};

class FieldInvalid extends Error {}

/** What of a message's schema every message asks for. */
interface Shape {
  readonly fields: readonly { readonly key: string; readonly rule: FieldRule; readonly where: string }[];
  /** Of each group its fields, of which one is there. */
  readonly groups: readonly { readonly where: string; readonly keys: readonly string[] }[];
}

const shapeOf = perMessage(
  (rules, name): Shape => ({
    fields: Object.entries(rules).map(([key, rule]) => ({ key, rule, where: `${name}.${key}` })),
    groups: [...groupsIn(rules)].map(([group, keys]) => ({ where: `${name}.${group}`, keys })),
  }),
);

const toWire = (name: string, value: Readonly<Record<string, unknown>>): Wire => {
  const { fields, groups } = shapeOf(name);
  checkGroups(groups, value);
  const wire: Wire = {};
  for (const { key, rule, where } of fields) {
    const field = value[key];
    if (field === undefined && rule.isOptional) continue;
    wire[key] = rule.isRepeated
      ? limited(where, rule, field).map((item) => toWireValue(where, rule, item))
      : toWireValue(where, rule, field);
  }
  return wire;
};

const fromWire = (name: string, wire: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const { fields, groups } = shapeOf(name);
  const value: Record<string, unknown> = {};
  for (const { key, rule, where } of fields) {
    const field = wire[key];
    if (rule.isRepeated) value[key] = limited(where, rule, field).map((item) => fromWireValue(where, rule, item));
    else if (!rule.isOptional || (field !== null && field !== undefined && Object.hasOwn(wire, key)))
      value[key] = fromWireValue(where, rule, field);
  }
  checkGroups(groups, value);
  return value;
};

const checkGroups = (groups: Shape['groups'], value: Readonly<Record<string, unknown>>): void => {
  for (const { where, keys } of groups) {
    const count = keys.filter((key) => value[key] !== undefined).length;
    if (count !== 1) refuse(where, `exactly one field, found ${count}`);
  }
};

const limited = (where: string, rule: FieldRule, field: unknown): readonly unknown[] => {
  if (!Array.isArray(field) || field.length > (rule.most ?? 0)) throw new FieldInvalid(`${where}: at most ${rule.most} items`);
  return field;
};

const toWireValue = (where: string, rule: FieldRule, value: unknown): unknown => {
  const words = enums[rule.type];
  if (words !== undefined) return words[value as string] ?? refuse(where, `one of ${Object.keys(words).join(', ')}`);
  if (messages[rule.type] !== undefined) return toWire(rule.type, value as Record<string, unknown>);
  return checked(where, rule, value);
};

const fromWireValue = (where: string, rule: FieldRule, value: unknown): unknown => {
  const words = enums[rule.type];
  if (words !== undefined)
    return Object.keys(words).find((word) => words[word] === value) ?? refuse(where, `one of ${Object.keys(words).join(', ')}`);
  if (messages[rule.type] !== undefined)
    return typeof value === 'object' && value !== null
      ? fromWire(rule.type, value as Record<string, unknown>)
      : refuse(where, 'a message');
  return checked(where, rule, value);
};

const checked = (where: string, rule: FieldRule, value: unknown): unknown => {
  switch (rule.type) {
    case 'bool':
      return typeof value === 'boolean' ? value : refuse(where, 'true or false');
    case 'uint32':
      return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32
        ? value
        : refuse(where, 'a 32-bit number');
    case 'double':
      return Number.isSafeInteger(value) && (value as number) >= 0 ? value : refuse(where, 'a whole number');
    default:
      return checkedKind(where, rule.kind ?? '', value);
  }
};

const checkedKind = (where: string, name: string, value: unknown): unknown => {
  const kind = (kinds as Readonly<Record<string, (typeof kinds)[keyof typeof kinds]>>)[name];
  if (kind === undefined) throw new TypeError(`${where}: no kind @${name} in kinds.ts`);
  if (kind.type === 'string')
    return typeof value === 'string' && value.length <= maxTextLength && kind.pattern.test(value)
      ? value
      : refuse(where, `@${name}`);
  return value instanceof Uint8Array && value.length >= kind.least && value.length <= kind.most
    ? value
    : refuse(where, `@${name}`);
};

const refuse = (where: string, expected: string): never => {
  throw new FieldInvalid(`${where}: expected ${expected}`);
};
