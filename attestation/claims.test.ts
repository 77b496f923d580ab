import { expect, test } from 'vitest';
import { decodeCbor, encodeCbor } from '#hal/core/cbor';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { decodeClaims, encodeClaims } from './claims.ts';
import { claims, nowMs } from './forger.fixture.ts';
import { type AttestationResult, signResult, verifyResult } from './result.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const rollout = new Uint8Array(32).fill(3);

test('claims are read as they were written, with rollout buckets and without (SR-21)', () => {
  expect(unwrap(decodeClaims(encodeClaims(claims)))).toEqual(claims);
  expect(unwrap(decodeClaims(encodeClaims({ ...claims, rollout })))).toEqual({ ...claims, rollout });
});

test('a digest of buckets of another size is refused, and so is a claim that no profile names', () => {
  expect(code(decodeClaims(encodeClaims({ ...claims, rollout: new Uint8Array(31) })))).toBe('attestation/malformed');
  const map = new Map(unwrap(decodeCbor(encodeClaims(claims))) as ReadonlyMap<string, Uint8Array>);
  expect(code(decodeClaims(encodeCbor(map.set('other', rollout))))).toBe('attestation/malformed');
});

test('the result repeats the digest of the buckets, under both signatures', () => {
  const secrets = { classical: new Uint8Array(32).fill(1), postQuantum: new Uint8Array(32).fill(2) };
  const keys = {
    classical: nodeCrypto.ed25519.publicKey(secrets.classical),
    postQuantum: nodeCrypto.mlDsa65.publicKey(secrets.postQuantum),
  };
  const result: AttestationResult = {
    ...claims,
    ...{ verifier: 'the-verifier', status: 'affirming', trustVector: {}, tpmClass: 'software', policy: 'the-policy' },
    ...{ issuedAtSeconds: nowMs / 1000, expiresAtSeconds: nowMs / 1000 + 600, rollout },
  };
  const read = unwrap(verifyResult(nodeCrypto, signResult(nodeCrypto, result, secrets), keys));
  expect(read.rollout).toEqual(rollout);
  const { rollout: _, ...without } = result;
  expect(unwrap(verifyResult(nodeCrypto, signResult(nodeCrypto, without, secrets), keys)).rollout).toBeUndefined();
  for (const change of [{ rollout: new Uint8Array(5) }, { expiresAtSeconds: 2 ** 44 }]) {
    const malformed = signResult(nodeCrypto, { ...result, ...change }, secrets);
    expect(code(verifyResult(nodeCrypto, malformed, keys))).toBe('attestation/malformed');
  }
});
