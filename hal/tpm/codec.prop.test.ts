/** The TypeScript codec against itself; against libtss2-mu in `codec.parts.test.ts`. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, toHex, u8, u16be, u32be } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { encodeSelections, parseQuote, parseSignature } from './attest.ts';
import { alg, curve } from './constants.ts';
import { makeCredential } from './credential.ts';
import { encodePublic, p256Point, parsePublic, tpm2b } from './public.ts';
import {
  anyPublicArea,
  anyQuote,
  anySignature,
  damaged,
  encodeAttest,
  encodeEcdsaSignature,
  encodeQuote,
  encodeRsaSignature,
} from './structures.fixture.ts';
import { attestationTemplate, endorsementTemplate } from './templates.ts';

/** TPMS_PCR_SELECTION with this size of its mask. */
const selection = (sizeofSelect: number) => concat(u16be(alg.sha256), u8(sizeofSelect), new Uint8Array(sizeofSelect));
const oneBank = selection(3);
const ecdsa = (rBytes: number, sBytes: number) =>
  concat(u16be(alg.ecdsa), u16be(alg.sha256), tpm2b(new Uint8Array(rBytes)), tpm2b(new Uint8Array(sBytes)));
const eccArea = (xBytes: number, yBytes: number) => {
  const key = { type: 'ecc', symmetric: undefined, scheme: undefined, curve: curve.p256 } as const;
  return encodePublic({ ...attestationTemplate, key: { ...key, x: new Uint8Array(xBytes), y: new Uint8Array(yBytes) } });
};

const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const area = fc.sample(anyPublicArea, { seed: 1, numRuns: 40 }).map(encodePublic);
const quotes = fc.sample(anyQuote, { seed: 2, numRuns: 20 }).map(encodeQuote);
const signatures = fc.sample(anySignature, { seed: 3, numRuns: 20 });

test('a public area is read as it was written', () => {
  fc.assert(
    fc.property(anyPublicArea, (value) => {
      expect(unwrap(parsePublic(encodePublic(value)))).toEqual(value);
    }),
  );
});

test('a quote is read as it was written', () => {
  fc.assert(
    fc.property(anyQuote, (value) => {
      const { clockMs, resetCount, restartCount, safe, pcrSelections, ...rest } = value;
      expect(unwrap(parseQuote(encodeQuote(value)))).toEqual({
        ...rest,
        clock: { clockMs, resetCount, restartCount, isSafe: safe === 1 },
        selections: pcrSelections,
      });
    }),
  );
});

test('an ECDSA signature is read as r and s, each filled up to 32 bytes from the left', () => {
  const rs = concat(Uint8Array.of(1, 2), Uint8Array.of(0, 3));
  expect(toHex(unwrap(parseSignature(encodeEcdsaSignature(rs))).bytes)).toBe(`${'00'.repeat(30)}0102${'00'.repeat(31)}03`);
});

test.each<[string, Result<unknown>]>([
  ['a signer with a name of 67 bytes', parseQuote(encodeAttest({ qualifiedSigner: new Uint8Array(67) }))],
  ['65 bytes of qualifying data', parseQuote(encodeAttest({ extraData: new Uint8Array(65) }))],
  ['a register digest of 65 bytes', parseQuote(encodeAttest({ pcrDigest: new Uint8Array(65) }))],
  ['seventeen selections', parseQuote(encodeAttest({ selections: concat(u32be(17), ...Array(17).fill(oneBank)) }))],
  ['a selection of no bytes', parseQuote(encodeAttest({ selections: concat(u32be(1), selection(0)) }))],
  ['a selection of five bytes', parseQuote(encodeAttest({ selections: concat(u32be(1), selection(5)) }))],
  ['a safe flag of two', parseQuote(encodeAttest({ safe: 2 }))],
  ['an r of 33 bytes', parseSignature(ecdsa(33, 32))],
  ['an s of 33 bytes', parseSignature(ecdsa(32, 33))],
  ['a block of 513 bytes', parseSignature(encodeRsaSignature(new Uint8Array(513)))],
  ['a policy of 65 bytes', parsePublic(encodePublic({ ...attestationTemplate, authPolicy: new Uint8Array(65) }))],
  ['a coordinate of 67 bytes', parsePublic(eccArea(67, 32))],
  ['another of 67 bytes', parsePublic(eccArea(32, 67))],
])('%s is above the bounds', (_, parsed) => {
  expect(code(parsed)).toBe('attestation/malformed');
});

test('everything at its bounds is read', () => {
  const selections = concat(u32be(16), ...Array(16).fill(oneBank));
  const longest = {
    qualifiedSigner: new Uint8Array(66),
    extraData: new Uint8Array(64),
    pcrDigest: new Uint8Array(64),
    selections,
  };
  for (const parsed of [parseQuote(encodeAttest(longest)), parseSignature(ecdsa(32, 32)), parsePublic(eccArea(66, 66))])
    expect(code(parsed)).toBe('ok');
});

describe.each<[string, readonly Uint8Array[], (bytes: Uint8Array) => Result<unknown>]>([
  ['public area', area, parsePublic],
  ['quote', quotes, parseQuote],
  ['signature', signatures, parseSignature],
])('a %s', (_, samples, parse) => {
  test('that is cut short anywhere is refused', () => {
    for (const bytes of samples)
      for (let length = 0; length < bytes.length; length += 1)
        expect(code(parse(bytes.subarray(0, length)))).toBe('attestation/malformed');
  });

  test('with bytes behind it is refused', () => {
    for (const bytes of samples) expect(code(parse(concat(bytes, new Uint8Array(1))))).toBe('attestation/malformed');
  });

  test('of random or damaged bytes is a value, never a throw', () => {
    const nearly = damaged(fc.constantFrom(...samples));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), nearly), (bytes) => {
        expect(code(parse(bytes))).toMatch(/^ok$|^attestation\/[a-z-]+$/);
      }),
      { numRuns: 1000 },
    );
  });
});

test('whatever is read as a public area is written back to the same bytes: there is one encoding', () => {
  let read = 0;
  fc.assert(
    fc.property(damaged(anyPublicArea.map(encodePublic)), (bytes) => {
      const parsed = parsePublic(bytes);
      if (!parsed.ok) return;
      read += 1;
      expect(toHex(encodePublic(parsed.value))).toBe(toHex(bytes));
    }),
    { numRuns: 1000 },
  );
  expect(read).toBeGreaterThan(50);
});

test('only an ascending list of registers 0 to 23 can be selected', () => {
  for (const pcrs of [[24], [-1], [0.5], [7, 7], [11, 7]])
    expect(() => encodeSelections([{ hash: 0x0b, pcrs }])).toThrow(RangeError);
});

describe('a credential', () => {
  // The generator of P-256 (SEC 2 §2.4.2): the public key of the scalar 1.
  const x = Buffer.from('6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296', 'hex');
  const y = Buffer.from('4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5', 'hex');
  const symmetric = { bits: 128 };
  const good = { ...endorsementTemplate, key: { type: 'ecc' as const, symmetric, scheme: undefined, curve: 3, x, y } };
  const make = (key: Parameters<typeof makeCredential>[0], ephemeral = new Uint8Array(32).fill(7)) =>
    makeCredential(key, new Uint8Array(34), new Uint8Array(32).fill(1), ephemeral);

  test('hides the secret, wipes the one-time scalar, and is the same for the same inputs', () => {
    const ephemeral = new Uint8Array(32).fill(7);
    const made = unwrap(make(good, ephemeral));
    expect(ephemeral).toEqual(new Uint8Array(32));
    expect(toHex(made.credentialBlob)).not.toContain('01'.repeat(8));
    expect(unwrap(make(good))).toEqual(made);
    expect(unwrap(make(good, new Uint8Array(32).fill(8)))).not.toEqual(made);
  });

  test.each<[string, Parameters<typeof makeCredential>[0], string]>([
    ['a point that is not on the curve', { ...good, key: { ...good.key, y: x } }, 'attestation/malformed'],
    ['the template without a key', endorsementTemplate, 'attestation/malformed'],
    ['another curve', { ...good, key: { ...good.key, curve: 4 } }, 'attestation/algorithm'],
    ['AES-256', { ...good, key: { ...good.key, symmetric: { bits: 256 } } }, 'attestation/algorithm'],
    ['a name by SHA-384', { ...good, nameAlg: 0x0c }, 'attestation/algorithm'],
    ['a signing key', attestationTemplate, 'attestation/algorithm'],
    [
      'an RSA key',
      { ...good, key: { type: 'rsa', symmetric, scheme: undefined, bits: 2048, exponent: 0, modulus: new Uint8Array(256) } },
      'attestation/algorithm',
    ],
  ])('is refused for %s', (_, key, expected) => {
    expect(code(make(key))).toBe(expected);
  });
});

test('a point is read from coordinates of any length up to 32 bytes, and from no longer ones', () => {
  const key = { type: 'ecc' as const, symmetric: undefined, scheme: undefined, curve: 3 };
  const point = (x: Uint8Array, y: Uint8Array) => p256Point({ ...attestationTemplate, key: { ...key, x, y } });
  expect(toHex(point(Uint8Array.of(1), Uint8Array.of(2, 3)) ?? new Uint8Array())).toBe(
    `04${'00'.repeat(31)}01${'00'.repeat(30)}0203`,
  );
  expect(point(new Uint8Array(33), new Uint8Array(32))).toBeUndefined();
  expect(point(new Uint8Array(32), new Uint8Array(33))).toBeUndefined();
});
