/**
 * Messages to and from the wire format of Protocol Buffers (protobuf.dev, "Encoding"), by the table of their fields: a
 * program has the table, and no code for each message. Numbers, texts and lengths on the wire are of protobufjs.
 *
 * What a field may hold is not known here: see edge.ts.
 */
import protobuf from 'protobufjs/minimal.js';
import { enums } from './gen/fields.ts';
import type { FieldRule } from './rules.ts';
import { groupsIn, perMessage } from './schema.ts';

const { Reader, Writer } = protobuf;
type Reader = InstanceType<typeof Reader>;
type Writer = InstanceType<typeof Writer>;

/** A message as it is on the wire: enums are numbers. */
export type Wire = Record<string, unknown>;

const wireType = { varint: 0, fixed64: 1, lengthed: 2 } as const;

interface Scalar {
  readonly wireType: number;
  /** What a field holds that is not on the wire. */
  readonly absent: unknown;
  readonly write: (writer: Writer, value: never) => unknown;
  readonly read: (reader: Reader) => unknown;
}

const scalars: Readonly<Record<string, Scalar>> = {
  string: {
    ...{ wireType: wireType.lengthed, absent: '' },
    ...{ write: (writer, value: string) => writer.string(value), read: (reader) => reader.stringVerify() },
  },
  bytes: {
    ...{ wireType: wireType.lengthed, absent: new Uint8Array() },
    ...{ write: (writer, value: Uint8Array) => writer.bytes(value), read: (reader) => reader.bytes() },
  },
  bool: {
    ...{ wireType: wireType.varint, absent: false },
    ...{ write: (writer, value: boolean) => writer.bool(value), read: (reader) => reader.bool() },
  },
  uint32: {
    ...{ wireType: wireType.varint, absent: 0 },
    ...{ write: (writer, value: number) => writer.uint32(value), read: (reader) => reader.uint32() },
  },
  double: {
    ...{ wireType: wireType.fixed64, absent: 0 },
    ...{ write: (writer, value: number) => writer.double(value), read: (reader) => reader.double() },
  },
};
const word: Scalar = {
  ...{ wireType: wireType.varint, absent: 0 },
  ...{ write: (writer, value: number) => writer.int32(value), read: (reader) => reader.int32() },
};

interface Field {
  readonly key: string;
  readonly rule: FieldRule;
  /** None where it holds a message. */
  readonly scalar?: Scalar;
  readonly tag: number;
  /** Numbers one after the other in one field. */
  readonly isPacked: boolean;
  /** Of its group: at most one is there. */
  readonly others: readonly string[];
}

interface Layout {
  readonly fields: readonly Field[];
  readonly byNumber: ReadonlyMap<number, Field>;
  /** What is read of a field that was not on the wire. */
  readonly absent: Wire;
}

const layoutOf = perMessage((rules): Layout => {
  const groups = groupsIn(rules);
  const fields = Object.entries(rules).map(([key, rule]): Field => {
    const scalar = scalars[rule.type] ?? (enums[rule.type] === undefined ? undefined : word);
    const isPacked = rule.isRepeated === true && scalar !== undefined && scalar.wireType !== wireType.lengthed;
    const type = isPacked || scalar === undefined ? wireType.lengthed : scalar.wireType;
    const others = rule.group === undefined ? [] : (groups.get(rule.group) ?? []).filter((other) => other !== key);
    return { key, rule, ...(scalar === undefined ? {} : { scalar }), tag: (rule.number << 3) | type, isPacked, others };
  });
  return {
    fields: fields.toSorted((a, b) => a.rule.number - b.rule.number),
    byNumber: new Map(fields.map((field) => [field.rule.number, field])),
    absent: Object.fromEntries(fields.map(({ key, rule, scalar }) => [key, absentOf(rule, scalar)])),
  };
});
const absentOf = (rule: FieldRule, scalar: Scalar | undefined): unknown => {
  if (rule.isRepeated) return [];
  return rule.isOptional ? null : (scalar?.absent ?? null);
};

/** Fields in the order of their numbers, so that a message has one encoding; what equals its absence is left out. */
export const writeMessage = (writer: Writer, name: string, value: Wire): Writer => {
  for (const { key, rule, scalar, tag, isPacked } of layoutOf(name).fields) {
    const field = value[key];
    if (field === undefined) continue;
    const write = (item: unknown): void => {
      if (scalar === undefined) writeMessage(writer.fork(), rule.type, item as Wire).ldelim();
      else scalar.write(writer, item as never);
    };
    if (!rule.isRepeated) {
      if (rule.isOptional !== true && scalar !== undefined && isAbsent(scalar, field)) continue;
      writer.uint32(tag);
      write(field);
    } else if (!isPacked) {
      for (const item of field as readonly unknown[]) {
        writer.uint32(tag);
        write(item);
      }
    } else if ((field as readonly unknown[]).length > 0) {
      writer.uint32(tag).fork();
      for (const item of field as readonly unknown[]) write(item);
      writer.ldelim();
    }
  }
  return writer;
};

const isAbsent = ({ absent }: Scalar, value: unknown): boolean =>
  value instanceof Uint8Array ? value.length === 0 : Object.is(value, absent);

/**
 * A field of another wire type is passed over, as an unknown one.
 * @throws Error and RangeError, as protobufjs does, for what is no message or has more of something than its schema allows
 */
export const readMessage = (name: string, bytes: Uint8Array): Wire =>
  readInto(undefined, name, Reader.create(bytes), bytes.length, 0);

/** @param found before, of the same field: what is twice on the wire is one message */
const readInto = (found: Wire | undefined, name: string, reader: Reader, lengthBytes: number, depth: number): Wire => {
  if (depth > Reader.recursionLimit) throw new RangeError('messages within messages');
  const { byNumber, absent } = layoutOf(name);
  const message: Wire = found ?? Object.create(absent);
  within(reader, lengthBytes, () => {
    const tag = reader.tag();
    const type = tag & 7;
    const field = byNumber.get(tag >>> 3);
    if (field === undefined || !readField(message, field, type, reader, depth)) reader.skipType(type, depth, tag >>> 3);
  });
  return message;
};

/** Nothing in it reads beyond its end, and the last ends there. */
const within = (reader: Reader, lengthBytes: number, readNext: () => void): void => {
  const endsAt = reader.pos + lengthBytes;
  const outerEnd = reader.len;
  if (endsAt > outerEnd) throw new RangeError('index out of range');
  reader.len = endsAt;
  while (reader.pos < endsAt) readNext();
  if (reader.pos !== endsAt) throw new RangeError('index out of range');
  reader.len = outerEnd;
};

/** @returns whether it was read: it was not where its wire type is another one */
const readField = (
  message: Wire,
  { key, rule, scalar, isPacked, others }: Field,
  type: number,
  reader: Reader,
  depth: number,
): boolean => {
  if (type !== (scalar?.wireType ?? wireType.lengthed) && !(isPacked && type === wireType.lengthed)) return false;
  if (rule.isRepeated !== true) {
    message[key] =
      scalar === undefined
        ? readInto(
            Object.hasOwn(message, key) ? (message[key] as Wire) : undefined,
            rule.type,
            reader,
            reader.uint32(),
            depth + 1,
          )
        : scalar.read(reader);
    for (const other of others) delete message[other];
    return true;
  }
  const items = (Object.hasOwn(message, key) ? message[key] : []) as unknown[];
  message[key] = items;
  const most = rule.most ?? 0;
  if (scalar === undefined) append(items, most, () => readInto(undefined, rule.type, reader, reader.uint32(), depth + 1));
  else if (type === scalar.wireType) append(items, most, () => scalar.read(reader));
  else within(reader, reader.uint32(), () => append(items, most, () => scalar.read(reader)));
  return true;
};

/** Of a list that is too long no more is read: a byte on the wire is many in memory. */
const append = (items: unknown[], most: number, read: () => unknown): void => {
  if (items.length === most) throw new RangeError(`more than ${most} items`);
  items.push(read());
};
