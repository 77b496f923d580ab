import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, equalBytes, utf8 } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import {
  assembleEnvelope,
  type EnvelopeHeader,
  type EnvelopePolicy,
  keyId,
  openEnvelope,
  sealEnvelope,
  signedBytes,
} from './envelope.ts';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import { type HybridSuite, hybridKeyPair, hybridSign, hybridSignatureSuites } from './suites.ts';

const random = seededRandom('envelope');
const [ed25519Suite, p256Suite] = Object.values(hybridSignatureSuites) as [HybridSuite, HybridSuite];
const policyKey = hybridKeyPair(nodeCrypto, ed25519Suite, random);
const secondKey = hybridKeyPair(nodeCrypto, ed25519Suite, random);
/** Of another class: a good key, which may sign something else. */
const reportKey = hybridKeyPair(nodeCrypto, ed25519Suite, random);
const tpmKey = hybridKeyPair(nodeCrypto, p256Suite, random);

const header: EnvelopeHeader = { suite: ed25519Suite, audience: 'device', payloadType: 'policy' };
const payload = utf8('what is commanded');
const policy: EnvelopePolicy = { ...header, keys: [policyKey.publicKey], threshold: 1 };
const sealed = sealEnvelope(nodeCrypto, header, payload, [policyKey.secretKey]);

const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const verdict = (bytes: Uint8Array, changed: Partial<EnvelopePolicy> = {}) =>
  code(openEnvelope(nodeCrypto, bytes, { ...policy, ...changed }));

/** One length-delimited field of protobuf, for messages that the edge would not write. */
const field = (number: number, bytes: Uint8Array): Uint8Array => {
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return concat(Uint8Array.of((number << 3) | 2, ...length), bytes);
};
const rawEnvelope = (...signatures: readonly Uint8Array[]): Uint8Array =>
  concat(
    ...[utf8(header.suite.id), utf8(header.audience), utf8(header.payloadType), payload].map((part, at) => field(at + 1, part)),
    ...signatures.map((signature) => field(5, signature)),
  );
const signature = hybridSign(nodeCrypto, policyKey.secretKey, signedBytes(header, payload));
const signedBy = { keyId: keyId(nodeCrypto, policyKey.publicKey), ...signature };

describe('a key that was revoked', () => {
  const both = sealEnvelope(nodeCrypto, header, payload, [policyKey.secretKey, secondKey.secretKey]);
  const keys = [policyKey.publicKey, secondKey.publicKey];
  const revoked = keyId(nodeCrypto, policyKey.publicKey);
  const isRevoked = (id: Uint8Array) => equalBytes(id, revoked);

  test('verifies nothing any more, whatever it signed and whenever', () => {
    expect(verdict(sealed)).toBe('ok');
    expect(verdict(sealed, { isRevoked })).toBe('integrity/key-revoked');
  });

  test('does not count beside others: one of them is enough where one is wanted, and not where two are', () => {
    expect(unwrap(openEnvelope(nodeCrypto, both, { ...policy, keys, isRevoked })).signers).toEqual([
      keyId(nodeCrypto, secondKey.publicKey),
    ]);
    expect(verdict(both, { keys, threshold: 2, isRevoked })).toBe('integrity/key-revoked');
    expect(verdict(both, { keys, threshold: 2 })).toBe('ok');
  });
});

describe.each([policyKey, tpmKey])('an envelope of $publicKey.suite.id', ({ secretKey, publicKey }) => {
  const { suite } = publicKey;

  test('SR-03: sealed by either back end opens in both, to the payload and who signed', () => {
    for (const sealing of [nodeCrypto, nobleCrypto]) {
      const bytes = sealEnvelope(sealing, { ...header, suite }, payload, [secretKey]);
      for (const opening of [nodeCrypto, nobleCrypto]) {
        const opened = unwrap(openEnvelope(opening, bytes, { ...policy, suite, keys: [publicKey] }));
        expect(equalBytes(opened.payload, payload)).toBe(true);
        expect(opened.signers).toEqual([keyId(opening, publicKey)]);
      }
    }
  });
});

describe('SR-03: what is not exactly what policy demands is refused', () => {
  test('the policy itself accepts it', () => {
    expect(verdict(sealed)).toBe('ok');
  });

  test('another suite, audience or payload type than the policy names', () => {
    expect(verdict(sealed, { suite: p256Suite })).toBe('integrity/suite-refused');
    expect(verdict(sealed, { audience: 'command' })).toBe('integrity/audience-mismatch');
    expect(verdict(sealed, { payloadType: 'wipe' })).toBe('integrity/payload-type');
  });

  test('the suite comes from policy: renaming it in the message neither opens nor downgrades anything', () => {
    const renamed = assembleEnvelope({ ...header, suite: p256Suite }, payload, [signedBy]);
    expect(verdict(renamed)).toBe('integrity/suite-refused');
    expect(verdict(renamed, { suite: p256Suite })).toBe('integrity/suite-refused');
    // A key of the suite that the message names, in a policy of the other: the key is refused, not the policy bent.
    const withTpmKey = sealEnvelope(nodeCrypto, { ...header, suite: p256Suite }, payload, [tpmKey.secretKey]);
    expect(verdict(withTpmKey, { keys: [tpmKey.publicKey] })).toBe('integrity/suite-refused');
    const named = assembleEnvelope(header, payload, [
      {
        keyId: keyId(nodeCrypto, tpmKey.publicKey),
        ...hybridSign(nodeCrypto, tpmKey.secretKey, signedBytes(header, payload)),
      },
    ]);
    expect(verdict(named, { keys: [tpmKey.publicKey] })).toBe('integrity/suite-refused');
  });

  test.each<[string, EnvelopeHeader, Uint8Array]>([
    ['audience', { ...header, audience: 'command' }, payload],
    ['payload type', { ...header, payloadType: 'wipe' }, payload],
    ['payload', header, utf8('what is commandeD')],
    ['payload with a byte more', header, concat(payload, new Uint8Array(1))],
    ['empty payload', header, new Uint8Array()],
  ])('a signature that was made for another %s', (_, changed, bytes) => {
    const forged = assembleEnvelope(changed, bytes, [signedBy]);
    expect(verdict(forged, { audience: changed.audience, payloadType: changed.payloadType })).toBe('integrity/signature-invalid');
  });

  test('a signature by the key of another class counts for nothing, also under the name of the right key', () => {
    expect(verdict(sealEnvelope(nodeCrypto, header, payload, [reportKey.secretKey]))).toBe('integrity/signature-missing');
    const theirs = hybridSign(nodeCrypto, reportKey.secretKey, signedBytes(header, payload));
    expect(verdict(assembleEnvelope(header, payload, [{ ...theirs, keyId: signedBy.keyId }]))).toBe(
      'integrity/signature-invalid',
    );
  });

  test('either signature of the pair alone, or the two of different signers', () => {
    const half = (which: 'classical' | 'postQuantum', at: number) =>
      rawEnvelope(concat(field(1, signedBy.keyId), field(at, signature[which])));
    expect(
      verdict(rawEnvelope(concat(field(1, signedBy.keyId), field(2, signature.classical), field(3, signature.postQuantum)))),
    ).toBe('ok');
    expect(verdict(half('classical', 2))).toBe('protocol/field-invalid');
    expect(verdict(half('postQuantum', 3))).toBe('protocol/field-invalid');
    const theirs = hybridSign(nodeCrypto, secondKey.secretKey, signedBytes(header, payload));
    for (const mixed of [
      { ...signedBy, classical: theirs.classical },
      { ...signedBy, postQuantum: theirs.postQuantum },
    ])
      expect(verdict(assembleEnvelope(header, payload, [mixed]))).toBe('integrity/signature-invalid');
  });

  test('no signature at all', () => {
    expect(verdict(assembleEnvelope(header, payload, []))).toBe('integrity/signature-missing');
  });
});

describe('the threshold', () => {
  const both = sealEnvelope(nodeCrypto, header, payload, [policyKey.secretKey, secondKey.secretKey]);
  const keys = [policyKey.publicKey, secondKey.publicKey];

  test('is met by as many different keys, and not by fewer', () => {
    expect(unwrap(openEnvelope(nodeCrypto, both, { ...policy, keys, threshold: 2 })).signers).toHaveLength(2);
    expect(verdict(sealed, { keys, threshold: 1 })).toBe('ok');
    expect(verdict(sealed, { keys, threshold: 2 })).toBe('integrity/signature-missing');
    expect(verdict(both, { keys, threshold: 3 })).toBe('integrity/signature-missing');
  });

  test('counts a key once, however often it signs and however often the policy lists it', () => {
    const twice = assembleEnvelope(header, payload, [signedBy, signedBy]);
    expect(verdict(twice, { keys, threshold: 2 })).toBe('integrity/signature-missing');
    expect(verdict(sealed, { keys: [policyKey.publicKey, policyKey.publicKey], threshold: 2 })).toBe(
      'integrity/signature-missing',
    );
  });

  test('of nothing accepts nothing', () => {
    expect(verdict(sealed, { threshold: 0 })).toBe('integrity/signature-missing');
    expect(verdict(sealed, { keys: [] })).toBe('integrity/signature-missing');
  });

  test('is not met where one of the signatures that count is false', () => {
    const broken = assembleEnvelope(header, payload, [signedBy, { ...signedBy, keyId: keyId(nodeCrypto, secondKey.publicKey) }]);
    expect(verdict(broken, { keys, threshold: 1 })).toBe('integrity/signature-invalid');
  });
});

test('a key id names the suite and both keys', () => {
  const { suite, classical, postQuantum } = policyKey.publicKey;
  const ids = [
    { suite, classical, postQuantum },
    { suite: p256Suite, classical, postQuantum },
    { suite, classical: secondKey.publicKey.classical, postQuantum },
    { suite, classical, postQuantum: secondKey.publicKey.postQuantum },
  ].map((key) => Buffer.from(keyId(nodeCrypto, key)).toString('hex'));
  expect(new Set(ids).size).toBe(ids.length);
});

describe('the signed bytes', () => {
  interface Parts {
    readonly suite: string;
    readonly audience: string;
    readonly payloadType: string;
    readonly payload: Uint8Array;
  }
  const parts: fc.Arbitrary<Parts> = fc.record({
    suite: fc.string(),
    audience: fc.string(),
    payloadType: fc.string(),
    payload: fc.uint8Array(),
  });
  const bytesOf = ({ suite, audience, payloadType, payload }: Parts) =>
    signedBytes({ suite: { id: suite } as unknown as HybridSuite, audience, payloadType }, payload);

  test('begin with the domain and hold every part after its length', () => {
    const suite = { id: 'ab' } as unknown as HybridSuite;
    expect(Buffer.from(signedBytes({ suite, audience: 'c', payloadType: '' }, Uint8Array.of(7))).toString('hex')).toBe(
      [
        '0000000000000005',
        `0000000000000006${Buffer.from('enigm1').toString('hex')}`,
        '00000000000000026162',
        '000000000000000163',
        '0000000000000000',
        '000000000000000107',
      ].join(''),
    );
  });

  test('SR-03: are read in one way only: other parts are other bytes', () => {
    fc.assert(
      fc.property(parts, parts, (one, two) => {
        const isSame =
          one.suite === two.suite &&
          one.audience === two.audience &&
          one.payloadType === two.payloadType &&
          equalBytes(one.payload, two.payload);
        expect(equalBytes(bytesOf(one), bytesOf(two))).toBe(isSame);
      }),
      { numRuns: 200 },
    );
  });

  test('SR-03: are not the same for one text cut in other places', () => {
    const cuts = fc.tuple(fc.nat(40), fc.nat(40), fc.nat(40)).map((at) => at.sort((a, b) => a - b));
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 40, maxLength: 40 }), cuts, cuts, (text, one, two) => {
        const cut = ([a, b, c]: number[]) =>
          bytesOf({
            suite: text.slice(0, a),
            audience: text.slice(a, b),
            payloadType: text.slice(b, c),
            payload: utf8(text.slice(c)),
          });
        expect(equalBytes(cut(one), cut(two))).toBe(one.join() === two.join());
      }),
      { numRuns: 300 },
    );
  });
});

describe('bytes of somebody else never throw and never open', () => {
  test('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(verdict(bytes)).toMatch(/^(protocol|integrity)\/[a-z-]+$/);
      }),
      { numRuns: 500 },
    );
  });

  test('any truncation', () => {
    for (let length = 0; length < sealed.length; length += 37)
      expect(verdict(sealed.subarray(0, length))).toMatch(/^(protocol|integrity)\/[a-z-]+$/);
  });

  test('any one changed byte', () => {
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = sealed.slice();
        changed[at] = (changed[at] as number) ^ mask;
        expect(verdict(changed)).toMatch(/^(protocol|integrity)\/[a-z-]+$/);
      }),
      { numRuns: 200 },
    );
  });
});
