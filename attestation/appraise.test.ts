import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, u32be } from '#hal/core/bytes';
import { encodeCbor } from '#hal/core/cbor';
import { codeOf, unwrap } from '#hal/core/result';
import { nobleCrypto } from '#hal/crypto/noble';
import { nodeCrypto } from '#hal/crypto/node';
import { encodeSelections } from '#hal/tpm/attest';
import { alg, structureTag } from '#hal/tpm/constants';
import { type AppraisalInput, appraise } from './appraise.ts';
import { bootLog, claims, type Forgery, forge, input, nowMs, pcrs, postQuantumKey, session } from './forger.fixture.ts';

const verdict = (evidence: Uint8Array, changed: Partial<AppraisalInput> = {}): string => {
  const appraised = appraise(nodeCrypto, input(evidence, changed));
  return appraised.ok ? appraised.value.status : codeOf(appraised.fault);
};
const flip = (at: number) => (bytes: Uint8Array) => bytes.map((byte, index) => (index === at % bytes.length ? byte ^ 1 : byte));
const other = (bytes: Uint8Array) => flip(0)(bytes);
const record = (clockMs: bigint, resetCount: number, restartCount = 0, isSafe = true) => ({
  clockMs,
  resetCount,
  restartCount,
  isSafe,
});
const endorsed = (lastClock: ReturnType<typeof record>) => ({
  endorsements: { ...input(new Uint8Array()).endorsements, lastClock },
});

test('affirms genuine evidence of a known build, and says what matched', () => {
  const appraised = unwrap(appraise(nodeCrypto, input(forge())));
  expect(appraised).toMatchObject({
    status: 'affirming',
    matched: 'the-build',
    trustVector: { 'instance-identity': 2, configuration: 2, executables: 3 },
    clock: { resetCount: 3, isSafe: true },
  });
  expect(appraised.claims.handle).toEqual(claims.handle);
});

test('gives the same answer with the other crypto back end', () => {
  expect(appraise(nobleCrypto, input(forge())).ok).toBe(true);
});

describe('authentic bad news is appraised, not refused', () => {
  test('software that no release names is contraindicated', () => {
    expect(verdict(forge({ log: bootLog({ programs: ['one', 'two', 'evil'] }) }))).toBe('contraindicated');
    expect(verdict(forge({ log: bootLog({ programs: ['two', 'one', 'three'] }) }))).toBe('contraindicated');
    expect(verdict(forge({ log: bootLog({ programs: ['one', 'two'] }) }))).toBe('contraindicated');
  });

  test('Secure Boot off is contraindicated where policy requires it', () => {
    const off = bootLog({ isSecureBootOn: false });
    expect(verdict(forge({ log: off }))).toBe('contraindicated');
  });
});

/** Rows of the attack table, each a change to evidence that passes without it. */
const attacks: readonly [string, Partial<Forgery>, string][] = [
  ['a quote signed by another key', { quoteSecret: nodeCrypto.hash('sha256', new Uint8Array(1)) }, 'attestation/quote-signature'],
  ['one bit of the quote changed', { tamperAttest: flip(60) }, 'attestation/quote-signature'],
  ['what no TPM generated', { attest: { magic: 0xff544348 } }, 'attestation/quote-type'],
  ['a certification offered as a quote', { attest: { type: structureTag.attestCertify } }, 'attestation/quote-type'],
  ['a time attestation offered as a quote', { attest: { type: structureTag.attestTime } }, 'attestation/quote-type'],
  ['bytes after the quote', { forgeAttest: (attest) => concat(attest, new Uint8Array(1)) }, 'attestation/malformed'],
  ['a truncated quote', { forgeAttest: (attest) => attest.subarray(0, -1) }, 'attestation/malformed'],
  ['seventeen PCR selections', { attest: { selections: u32be(17) } }, 'attestation/malformed'],
  ['a PCR selection of no bytes', { attest: { selections: Uint8Array.of(0, 0, 0, 1, 0, 11, 0) } }, 'attestation/malformed'],
  ['a safe flag that is neither yes nor no', { attest: { safe: 2 } }, 'attestation/malformed'],
  [
    'an RSA signature for an ECC key',
    { quoteSignature: () => Uint8Array.of(0, 0x14, 0, 0x0b, 0, 1, 0) },
    'attestation/algorithm',
  ],
  [
    'a signature over SHA-1',
    { quoteSignature: (signature) => concat(Uint8Array.of(0, 0x18, 0, 4), signature.subarray(4)) },
    'attestation/algorithm',
  ],
  ['an empty signature', { quoteSignature: () => new Uint8Array() }, 'attestation/malformed'],
  ['an empty nonce in the quote', { attest: { extraData: new Uint8Array() } }, 'attestation/binding-mismatch'],
  ['qualifying data of another binding', { attest: { extraData: new Uint8Array(32) } }, 'attestation/binding-mismatch'],
  ['the nonce of another session', { claims: { ...claims, nonce: other(claims.nonce) } }, 'attestation/nonce-mismatch'],
  [
    'the device nonce of another session',
    { claims: { ...claims, deviceNonce: other(claims.deviceNonce) } },
    'attestation/binding-mismatch',
  ],
  ['claims for another relying party', { claims: { ...claims, relyingParty: 'command' } }, 'attestation/binding-mismatch'],
  ['evidence for another verifier', { verifier: 'another-verifier' }, 'attestation/binding-mismatch'],
  ['evidence for another purpose', { purpose: 'enrol' }, 'attestation/binding-mismatch'],
  [
    'a required register missing',
    { pcrs: [0, 4, 7], values: [new Uint8Array(32), new Uint8Array(32), new Uint8Array(32)] },
    'attestation/pcr-selection',
  ],
  [
    'another selection than the values that came',
    { attest: { selections: encodeSelections([{ hash: alg.sha256, pcrs: [0, 4, 7] }]) } },
    'attestation/pcr-selection',
  ],
  [
    'the same bank twice',
    {
      attest: {
        selections: encodeSelections([
          { hash: alg.sha256, pcrs },
          { hash: alg.sha256, pcrs },
        ]),
      },
    },
    'attestation/pcr-selection',
  ],
  ['a weaker bank', { attest: { selections: encodeSelections([{ hash: alg.sha1, pcrs }]) } }, 'attestation/pcr-selection'],
  ['an empty selection', { attest: { selections: u32be(0) } }, 'attestation/pcr-selection'],
  ['register values that were not quoted', { attest: { pcrDigest: new Uint8Array(32) } }, 'attestation/pcr-digest'],
  ['registers that the log does not lead to', { values: pcrs.map(() => new Uint8Array(32)) }, 'attestation/log-replay'],
  ['a log event of a register that was not quoted', { pcrs: [0, 1, 2, 3, 4, 5, 7, 11] }, 'attestation/pcr-selection'],
  ['a log by a digest that nobody knows', { isLogSent: false }, 'attestation/log-missing'],
  ['the post-quantum signature stripped', { signature: () => new Uint8Array() }, 'attestation/pq-missing'],
  ['a post-quantum signature with one bit changed', { signature: flip(1000) }, 'attestation/pq-signature'],
  ['a post-quantum signature by another key', { postQuantumSecret: new Uint8Array(32).fill(5) }, 'attestation/pq-signature'],
];

describe('a verifier refuses', () => {
  test.each(attacks)('%s', (_, changed, expected) => {
    expect(verdict(forge())).toBe('affirming');
    expect(verdict(forge(changed))).toBe(expected);
  });

  test('another post-quantum key, bound by the quote or not', () => {
    const secret = new Uint8Array(32).fill(5);
    const key = nodeCrypto.mlDsa65.publicKey(secret);
    expect(verdict(forge({ postQuantumSecret: secret, postQuantumKey: key }))).toBe('attestation/binding-mismatch');
    expect(verdict(forge(), { endorsements: { ...input(new Uint8Array()).endorsements, postQuantumKey: key } })).toBe(
      'attestation/binding-mismatch',
    );
    expect(postQuantumKey).not.toEqual(key);
  });

  test('an answer that comes too late', () => {
    expect(verdict(forge(), { nowMs: session.expiresMs })).toBe('affirming');
    expect(verdict(forge(), { nowMs: session.expiresMs + 1 })).toBe('attestation/nonce-expired');
  });

  test('a log that is not the one its digest names', () => {
    const evidence = forge({ isLogSent: false });
    expect(verdict(evidence, { knownLog: () => bootLog() })).toBe('affirming');
    expect(verdict(evidence, { knownLog: () => bootLog({ programs: ['evil'] }) })).toBe('attestation/binding-mismatch');
  });

  test.each(['', '80', 'a0', '8440a0', 'ff'.repeat(50)])('bytes that are no evidence: %s', (hex) => {
    expect(verdict(new Uint8Array(Buffer.from(hex, 'hex')))).toBe('attestation/malformed');
  });

  test('evidence in any other encoding of the same values', () => {
    const evidence = forge();
    expect(evidence[0]).toBe(0x84);
    expect(verdict(concat(Uint8Array.of(0x98, 4), evidence.subarray(1)))).toBe('attestation/malformed');
    expect(verdict(concat(evidence, encodeCbor(0)))).toBe('attestation/malformed');
  });
});

describe('the TPM clock as a witness of restored states', () => {
  const now = { attest: { clockMs: 5_000n, resetCount: 3, restartCount: 1 } };
  test.each<[string, ReturnType<typeof record>, string]>([
    ['a reset count that went back', record(1n, 4), 'attestation/clock-rollback'],
    ['a restart count that went back', record(1n, 3, 2), 'attestation/clock-rollback'],
    ['a clock that went back within a reset', record(5_001n, 3, 1), 'attestation/clock-rollback'],
    ['a safe clock that went back over a reset', record(5_001n, 2), 'attestation/clock-rollback'],
    ['the same instant', record(5_000n, 3, 1), 'affirming'],
    ['a later reset', record(4_000n, 2, 9), 'affirming'],
  ])('%s', (_, last, expected) => {
    expect(verdict(forge(now), endorsed(last))).toBe(expected);
  });

  test('a power cut, after which the clock may lie behind, does not lock the device out', () => {
    const unsafe = { attest: { clockMs: 10n, resetCount: 4, safe: 0 } };
    expect(verdict(forge(unsafe), endorsed(record(5_000n, 3)))).toBe('affirming');
    expect(verdict(forge({ attest: { clockMs: 6_000n, resetCount: 3, safe: 0 } }), endorsed(record(5_000n, 3)))).toBe(
      'attestation/clock-unsafe',
    );
  });
});

test('any one changed byte of genuine evidence is never affirmed, and never throws', () => {
  const evidence = forge();
  fc.assert(
    fc.property(fc.nat(evidence.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const changed = evidence.slice();
      changed[at] = (changed[at] as number) ^ mask;
      expect(verdict(changed)).toMatch(/^attestation\//);
    }),
    { numRuns: 400 },
  );
});

test('no input makes it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(verdict(bytes)).toMatch(/^attestation\//);
    }),
    { numRuns: 300 },
  );
});

test('the clock of the verifier is an input: the same evidence gives the same appraisal for ever', () => {
  const evidence = forge();
  expect(appraise(nodeCrypto, input(evidence, { nowMs }))).toEqual(appraise(nodeCrypto, input(evidence, { nowMs })));
});
