import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { testPorts } from '#agents/hands/hands.fixture';
import { decodeClaims } from '#attestation/claims';
import { decodeEvidence, qualifyingData } from '#attestation/evidence';
import { toHex } from '#hal/core/bytes';
import { codeOf, deny, type Failure, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { virtualClock } from '#hal/memory/clock';
import { attestedPcrs, type Collector, collectEvidence, type Question } from './collect.ts';

const { ports, bootLog, pcrValues } = testPorts(virtualClock());
const question: Question = {
  purpose: 'attest',
  verifier: 'the-verifier',
  nonce: new Uint8Array(32).fill(1),
  deviceNonce: new Uint8Array(32).fill(2),
  relyingParty: 'account',
  epoch: 1,
  bootId: new Uint8Array(16).fill(3),
  confirmationKey: new Uint8Array(32).fill(4),
  needsLog: true,
};
const collect = (changed: Partial<Collector> = {}, asked: Partial<Question> = {}) =>
  collectEvidence({ ...ports, ...changed }, { ...question, ...asked });

describe('the evidence of this device', () => {
  test('answers the question: claims, quote, registers and log, signed by the attestation key', async () => {
    const { evidence, handle } = unwrap(await collect());
    const { evidence: decoded, signed, signature } = unwrap(decodeEvidence(evidence));
    const { postQuantum } = unwrap(await ports.keys.publicKey('attestation'));
    expect(nodeCrypto.mlDsa65.verify(postQuantum, signed, signature)).toBe(true);
    expect(decoded).toMatchObject({ purpose: 'attest', verifier: 'the-verifier', pcrs: attestedPcrs });
    expect(decoded.quote.pcrValues.map(toHex)).toEqual(pcrValues.map(toHex));
    expect(toHex(decoded.bootLog.bytes ?? new Uint8Array())).toBe(toHex(bootLog));
    const claims = unwrap(decodeClaims(decoded.claims));
    for (const field of ['nonce', 'deviceNonce', 'bootId', 'confirmationKey'] as const)
      expect(toHex(claims[field]), field).toBe(toHex(question[field]));
    expect(claims).toMatchObject({ relyingParty: 'account', epoch: 1 });
    expect(toHex(claims.handle)).toBe(toHex(handle));
    expect(toHex(handle)).toBe(toHex(unwrap(await ports.keys.handle('account', 1))));
  });

  test('is bound by the quote to all of it (SR-06)', async () => {
    const quoted = async (asked: Partial<Question>) => {
      const { evidence } = unwrap(decodeEvidence(unwrap(await collect({}, asked)).evidence));
      return toHex(evidence.quote.attest.subarray(0, 32));
    };
    const { evidence } = unwrap(decodeEvidence(unwrap(await collect()).evidence));
    const expected = qualifyingData({
      ...question,
      claims: evidence.claims,
      bootLogDigest: createHash('sha256').update(bootLog).digest(),
      postQuantumKey: unwrap(await ports.keys.publicKey('attestation')).postQuantum,
    });
    expect(await quoted({})).toBe(toHex(expected));
    const changes: readonly Partial<Question>[] = [
      { purpose: 'enrol' },
      { verifier: 'another' },
      { nonce: new Uint8Array(32) },
      { deviceNonce: new Uint8Array(32) },
      { relyingParty: 'command' },
      { epoch: 2 },
      { bootId: new Uint8Array(16) },
      { confirmationKey: new Uint8Array(32) },
    ];
    const bound = await Promise.all(changes.map(quoted));
    expect(new Set([toHex(expected), ...bound]).size).toBe(changes.length + 1);
  });

  test('names the log by its digest where the verifier knows it', async () => {
    const { evidence } = unwrap(decodeEvidence(unwrap(await collect({}, { needsLog: false })).evidence));
    expect(evidence.bootLog.bytes).toBeUndefined();
    expect(toHex(evidence.bootLog.digest)).toBe(createHash('sha256').update(bootLog).digest('hex'));
  });

  test('quotes every register that a boot extends, and not the one that IMA goes on extending', () => {
    expect(attestedPcrs).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14]);
  });

  const fails = async (): Promise<Failure> => deny('unavailable', 'tpm-failed');
  test.each<[string, Partial<Collector>]>([
    ['the boot log', { bootLog: { read: fails } }],
    ['the handle', { keys: { ...ports.keys, handle: fails } }],
    ['the public key', { keys: { ...ports.keys, publicKey: fails } }],
    ['the quote', { tpm: { ...ports.tpm, quote: fails } }],
    ['the signature', { keys: { ...ports.keys, sign: fails } }],
  ])('does not exist without %s', async (_, changed) => {
    const collected = await collect(changed);
    expect(collected.ok ? 'collected' : codeOf(collected.fault)).toBe('unavailable/tpm-failed');
  });
});
