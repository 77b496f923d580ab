import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { readMessage, type Wire } from './codec.ts';
import { encode, type MessageName } from './edge.ts';
import { messages } from './gen/fields.ts';
import { anyMessage } from './message.fixture.ts';

/** The same messages as protobufjs itself writes and reads them, from the schema and not from our table of it. */
const peer = new protobuf.Root();
const schemas = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.proto'));
peer.loadSync(schemas.map((name) => join(import.meta.dirname, name))).resolveAll();

const names = Object.keys(messages) as MessageName[];
const typeOf = (name: string) => peer.lookupType(`enigm.${name}`);

describe('the codec, beside protobufjs', () => {
  test.each(names)('writes the same bytes of a %s', (name) => {
    const property = fc.property(anyMessage(name), (value) => {
      const bytes = encode(name, value as never);
      const peers = typeOf(name).encode(readMessage(name, bytes)).finish();
      expect(Buffer.from(bytes).toString('hex')).toBe(Buffer.from(peers).toString('hex'));
    });
    fc.assert(property, { numRuns: 20 });
  });

  // Where a message has no field, protobufjs does not see that one on the wire has the number 0, which it refuses elsewhere.
  const withFields = names.filter((name) => Object.keys(messages[name] ?? {}).length > 0);
  test.each(withFields)('reads the same of what may be a %s, and refuses the same', (name) => {
    const wire = anyMessage(name).map((value) => encode(name, value as never));
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      // What is there twice: of a message both parts, of a group the last.
      fc.tuple(wire, wire).map(([first, second]) => Buffer.concat([first, second])),
      fc
        .tuple(wire, fc.nat(), fc.nat(255))
        .map(([bytes, at, byte]) => bytes.map((was, index) => (index === at % bytes.length ? byte : was))),
      fc.tuple(wire, fc.nat()).map(([bytes, length]) => bytes.subarray(0, length % (bytes.length + 1))),
    );
    const property = fc.property(hostile, (bytes) => {
      expect(ours(name, bytes)).toEqual(theirs(name, bytes));
    });
    fc.assert(property, { numRuns: 60 });
  });

  test('refuses a field of the number 0, which no schema can have', () => {
    expect(() => readMessage('Nothing', Uint8Array.of(5, 0, 0, 0, 0))).toThrow('field number 0');
  });

  test('no message holds itself, so none is deep', () => {
    const depthOf = (name: string): number =>
      1 +
      Math.max(0, ...Object.values(messages[name] ?? {}).map(({ type }) => (messages[type] === undefined ? 0 : depthOf(type))));
    for (const name of names) expect(depthOf(name)).toBeLessThan(8);
  });
});

const refused = 'refused';

const ours = (name: string, bytes: Uint8Array): unknown => {
  try {
    return shown(name, readMessage(name, bytes));
  } catch {
    return refused;
  }
};

const theirs = (name: string, bytes: Uint8Array): unknown => {
  try {
    return shown(name, typeOf(name).decode(bytes) as unknown as Wire);
  } catch {
    return refused;
  }
};

/** Every field by its name, with what either holds where nothing was read. */
const shown = (name: string, wire: Wire): unknown =>
  Object.entries(messages[name] ?? {}).map(([key, { type, isOptional, most }]) => {
    // protobufjs knows no limits of lists.
    if (Array.isArray(wire[key]) && wire[key].length > (most ?? 0)) throw new RangeError(key);
    const one = (value: unknown): unknown => {
      if (value instanceof Uint8Array || Array.isArray(value)) return [...value].map(one);
      return value !== null && value !== undefined && messages[type] !== undefined ? shown(type, value as Wire) : (value ?? null);
    };
    return [key, isOptional && !Object.hasOwn(wire, key) ? null : one(wire[key])];
  });
