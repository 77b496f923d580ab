/** What is read of a log is answered whatever the bytes, and written again as it was read. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, utf8 } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { encodeNote } from '#hal/crypto/signed-note';
import { readCheckpoint } from './checkpoint.ts';
import { entryBytes, entryKinds, readEntry } from './entry.ts';
import { entry, logTrust, provedEntry } from './log.fixture.ts';
import { logTrustFields, logTrustJson, logTrustOf } from './log-trust.ts';
import { encodeProof, maxProofBytes, readProof } from './proof.ts';
import { bundleBytes, readBundle } from './tiles.ts';
import { encodeRequest, maxRequestBytes, readRequest } from './witness-request.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'accepted' : codeOf(result.fault));
const { proof } = await provedEntry();
const request = encodeRequest({ ...unwrap(readProof(proof)), oldSize: 7 });

/** A part of good bytes put out for others. */
const spoilt = (good: Uint8Array) =>
  fc
    .tuple(
      fc.nat(good.length),
      fc.nat(8),
      fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.constantFrom('\n', '\n\n', '=', 'index 1')),
    )
    .map(([at, removed, added]) =>
      concat(good.subarray(0, at), typeof added === 'string' ? utf8(added) : added, good.subarray(at + removed)),
    );

describe('read and written again', () => {
  test('a proof', () => {
    fc.assert(
      fc.property(spoilt(proof), (bytes) => {
        const read = readProof(bytes);
        if (read.ok) expect(encodeProof(read.value)).toEqual(bytes);
        if (!read.ok) expect(codeOf(read.fault)).toBe('protocol/malformed');
      }),
    );
    expect(encodeProof(unwrap(readProof(proof)))).toEqual(proof);
  });

  test('a request to a witness', () => {
    fc.assert(
      fc.property(spoilt(request), (bytes) => {
        const read = readRequest(bytes);
        if (read.ok) expect(encodeRequest(read.value)).toEqual(bytes);
      }),
    );
  });

  test('a checkpoint', () => {
    fc.assert(
      fc.property(spoilt(unwrap(readProof(proof)).checkpoint), (bytes) => {
        const read = readCheckpoint(bytes);
        if (read.ok) expect(encodeNote(read.value.note)).toEqual(bytes);
      }),
    );
  });

  test('a bundle of entries', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 9 }), (entries) => {
        expect(unwrap(readBundle(bundleBytes(entries), entries.length))).toEqual(entries);
        expect(code(readBundle(bundleBytes(entries), entries.length + 1))).toBe('protocol/malformed');
      }),
    );
  });
});

test('an entry is read as it was written, and nothing else is one', () => {
  for (const kind of entryKinds) {
    const bytes = entryBytes(entry('one', kind));
    expect(readEntry(bytes)).toEqual(entry('one', kind));
    for (const other of [bytes.slice(1), concat(bytes, utf8('\n')), bytes.slice(0, -1), utf8('')])
      expect(readEntry(other)).toBeUndefined();
  }
});

describe('limits', () => {
  test('of sizes and counts refuse by value', () => {
    expect(code(readProof(new Uint8Array(maxProofBytes + 1)))).toBe('protocol/too-large');
    expect(code(readRequest(new Uint8Array(maxRequestBytes + 1)))).toBe('protocol/too-large');
    const line = `${'A'.repeat(43)}=\n`;
    expect(code(readProof(utf8(`c2sp.org/tlog-proof@v1\nindex 0\n${line.repeat(65)}\n`)))).toBe('protocol/malformed');
    expect(code(readProof(utf8(`c2sp.org/tlog-proof@v1\nindex 0\n${line.repeat(64)}\n`)))).toBe('accepted');
    expect(code(readProof(utf8('c2sp.org/tlog-proof@v1\nindex 9999999999999999\n\n')))).toBe('protocol/malformed');
    expect(code(readProof(utf8('c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n\n')))).toBe('protocol/malformed');
    expect(code(readRequest(utf8(`old 0\n${line.repeat(64)}\n`)))).toBe('protocol/malformed');
  });
});

describe('whom a device believes', () => {
  const json = logTrustJson(logTrust());
  const [first] = json.witnesses;
  const parsed = (changed: object) => {
    const fields = logTrustFields({ ...json, ...changed });
    return fields.ok ? logTrustOf(fields.value) : fields;
  };

  test('is read as it was written', () => {
    expect(unwrap(parsed({}))).toEqual(logTrust());
  });

  test.each([
    ['one witness twice', { witnesses: [first, first] }],
    ['one witness under two names', { witnesses: [first, { ...first, name: 'witness.example/other' }] }],
    ['a log that is its own witness', { witnesses: [first, { ...first, name: json.origin }] }],
    ['a log whose key is a witness’s', { classical: first?.classical }],
    ['fewer witnesses than the threshold', { witnesses: [first] }],
    ['one witness as enough', { threshold: 1 }],
    ['another policy', { policy: 'maybe' }],
    ['another field', { more: 1 }],
  ])('is not %s', (_, changed) => {
    expect(code(parsed(changed))).toBe('protocol/config-invalid');
  });
});
