import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, encode, type MessageName } from './edge.ts';
import { messages } from './gen/fields.ts';
import { anyMessage } from './message.fixture.ts';

const names = Object.keys(messages) as MessageName[];

describe('the decode edge', () => {
  test.each(names)('reads back every %s that it wrote', (name) => {
    fc.assert(
      fc.property(anyMessage(name), (value) => {
        const bytes = encode(name, value as never);
        const decoded = decode(name, bytes);
        expect(decoded.ok && plain(decoded.value)).toEqual(plain(value));
      }),
      { numRuns: 40 },
    );
  });

  test.each(names)('never throws on bytes that are no %s, and what it accepts it can write again', (name) => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      fc.tuple(anyMessage(name), fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
        const bytes = encode(name, value as never);
        if (bytes.length > 0) bytes[at % bytes.length] = byte;
        return bytes;
      }),
    );
    fc.assert(
      fc.property(noise, (bytes) => {
        const decoded = decode(name, bytes);
        if (decoded.ok) expect(decode(name, encode(name, decoded.value as never)).ok).toBe(true);
        else expect(['malformed', 'field-invalid']).toContain(decoded.reason);
      }),
      { numRuns: 60 },
    );
  });

  test('refuses a field that is missing, of another kind, or too many', () => {
    expect(decode('TpmQuoteRequest', new Uint8Array())).toMatchObject({ ok: false, reason: 'field-invalid' });
    expect(() => encode('TpmQuoteRequest', { qualifyingData: new Uint8Array(31), pcrs: [] })).toThrow(
      'TpmQuoteRequest.qualifyingData: expected @digest',
    );
    expect(() => encode('TpmQuoteRequest', { qualifyingData: new Uint8Array(32), pcrs: Array(25).fill(0) })).toThrow(
      'at most 24 items',
    );
    expect(() => encode('AttestRequest', { relyingParty: 'Not a Slug' })).toThrow('expected @slug');
    expect(() => encode('TpmCounter', { value: -1, base: 0 })).toThrow('a whole number');
    expect(() => encode('TpmCounter', { value: 0.5, base: 0 })).toThrow('a whole number');
  });

  test('wants exactly one field of a group', () => {
    expect(decode('Frame', new Uint8Array())).toMatchObject({
      ok: false,
      detail: 'Frame.body: expected exactly one field, found 0',
    });
    expect(() => encode('Frame', { cancel: { id: 1 }, refusal: { id: 1, code: 'posture/stale' } })).toThrow('found 2');
  });

  test('refuses an enum value without a word', () => {
    // KeyRequest { key_class: 9 }
    expect(decode('KeyRequest', Uint8Array.of(0x08, 0x09))).toMatchObject({ ok: false, reason: 'field-invalid' });
    expect(decode('KeyRequest', Uint8Array.of())).toMatchObject({ ok: false, reason: 'field-invalid' });
  });
});

describe('a message with large bytes', () => {
  const segment = (length: number) => ({ segment: 7, bytes: new Uint8Array(length).map((_, at) => at * at), owner: 'mind' });

  test.each([1, 16 * 1024 - 1, 16 * 1024, 256 * 1024])('of %d is the same on the wire as any other, and comes back', (length) => {
    const value = segment(length);
    const bytes = encode('SegmentWrite', value);
    const lengthField = [];
    for (let rest = length; ; rest >>>= 7) {
      lengthField.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    const expected = Buffer.concat([Uint8Array.from([8, 7, 18, ...lengthField]), value.bytes, Buffer.from('\x1a\x04mind')]);
    expect(expected.equals(bytes)).toBe(true);
    const frame = encode('Frame', { call: { id: 1, method: 'update.write', arguments: bytes } });
    const call = decode('Frame', frame);
    const back = call.ok && call.value.call !== undefined ? decode('SegmentWrite', call.value.call.arguments) : undefined;
    expect(back?.ok && { ...back.value, bytes: new Uint8Array(back.value.bytes) }).toEqual(value);
  });

  test('has memory of its own, little more than it needs', () => {
    const [bytes, more] = [encode('SegmentWrite', segment(256 * 1024)), encode('SegmentWrite', segment(256 * 1024))];
    expect(bytes.buffer).not.toBe(more.buffer);
    expect(bytes.buffer.byteLength - bytes.length).toBeLessThan(1024);
  });
});

describe('golden vectors: bytes that may not change', () => {
  const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/messages.json'), 'utf8')) as readonly Golden[];

  test.each(golden.map((vector) => [vector.message, vector] as const))('%s', (name, { value, hex }) => {
    const bytes = encode(name, revive(value) as never);
    expect(Buffer.from(bytes).toString('hex')).toBe(hex);
    const decoded = decode(name, Buffer.from(hex, 'hex'));
    expect(decoded.ok && plain(decoded.value)).toEqual(plain(revive(value)));
  });
});

interface Golden {
  readonly message: MessageName;
  /** Bytes as `hex:…`. */
  readonly value: unknown;
  readonly hex: string;
}

const revive = (value: unknown): unknown => {
  if (typeof value === 'string') return value.startsWith('hex:') ? new Uint8Array(Buffer.from(value.slice(4), 'hex')) : value;
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, revive(field)]));
  return value;
};

/** Buffers and Uint8Arrays alike as hex, so that both sides compare. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return `hex:${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]));
  return value;
};
