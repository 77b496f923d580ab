import { describe, expect, test } from 'vitest';
import { concat, u16be, u32be, u64be } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { ok, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { tpm2b } from '#hal/tpm/public';
import { nvPublic } from '#hal/tpm/wire';
import type { Esys } from './esys.ts';
import { nvIndex } from './layout.ts';
import { esysTpm, readNv } from './tpm.ts';

const register = new Uint8Array(32).fill(7);
const digestList = (...digests: readonly Uint8Array[]) => concat(u32be(digests.length), ...digests.map(tpm2b));

/** A TPM that answers as it should, but for what a test changes. */
const tpmWith = (changed: Partial<Esys> = {}) => {
  const esys = {
    handleOf: async () => 1,
    setAuth: async () => undefined,
    flushContext: async () => undefined,
    readPublic: async () => [tpm2b(Uint8Array.of(1)), tpm2b(register), tpm2b(register)],
    createPrimary: async () => [2, tpm2b(Uint8Array.of(2))],
    nvReadPublic: async () => [nvPublic(nvIndex.endorsementCertificate, 0, 700), tpm2b(register)],
    nvRead: async (_: number, __: number, ___: readonly number[], sizeBytes: number) =>
      tpm2b(sizeBytes === 8 ? u64be(5) : new Uint8Array(sizeBytes)),
    pcrRead: async (_: readonly number[], selection: Uint8Array) =>
      [1, selection, digestList(...(selection.slice(-3).every((byte) => byte === 0) ? [] : [register]))] as const,
    quote: async () => [tpm2b(Uint8Array.of(3)), u16be(0x18)],
    ...changed,
  } as unknown as Esys;
  const unseal = async () => ok({ secret: new Uint8Array(32), counterBase: 1 });
  return { esys, tpm: esysTpm(esys, nodeCrypto, unseal) };
};

const failed = { ok: false, fault: { category: 'unavailable', reason: 'tpm-failed' } };
const answersTo = (bytes: number) => ({ nvRead: async () => tpm2b(new Uint8Array(bytes)) });
const indexOf = (sizeBytes: number) => ({
  nvReadPublic: async (): ReturnType<Esys['nvReadPublic']> => [nvPublic(nvIndex.endorsementCertificate, 0, sizeBytes), register],
});

describe('a TPM, or a bus, that answers oddly', () => {
  test('is told from one that answers as it should', async () => {
    const { tpm } = tpmWith();
    expect(unwrap(await tpm.readCounter())).toEqual({ value: 5, base: 1 });
    expect(unwrap(await tpm.identity()).endorsementCertificate).toHaveLength(700);
    expect(unwrap(await tpm.quote(register, [7])).pcrValues).toEqual([register]);
  });

  test.each([
    ['of one byte', answersTo(1)],
    ['of none', answersTo(0)],
    ['of nine', answersTo(9)],
    ['above what can be counted', { nvRead: async () => tpm2b(new Uint8Array(8).fill(0xff)) }],
  ])('gives no counter: %s', async (_, changed) => {
    expect(await tpmWith(changed).tpm.readCounter()).toMatchObject(failed);
  });

  test.each([0, 513])('ends the reading of an index: %i bytes for 512', async (bytes) => {
    expect(await tpmWith(answersTo(bytes)).tpm.identity()).toMatchObject(failed);
  });

  test('reads an index in as small parts as it gives', async () => {
    expect(await readNv(tpmWith(answersTo(1)).esys, nvIndex.endorsementCertificate)).toHaveLength(700);
  });

  test.each([0, 8193])('has no endorsement certificate where its index has %i bytes', async (sizeBytes) => {
    const identity = unwrap(await tpmWith(indexOf(sizeBytes)).tpm.identity());
    expect(identity).not.toHaveProperty('endorsementCertificate');
    encodeMessage('TpmIdentity', identity);
  });

  test.each<[string, Partial<Esys>]>([
    ['an empty public area', { readPublic: async () => [tpm2b(new Uint8Array()), register, register] }],
    ['an empty endorsement key', { createPrimary: async () => [2, tpm2b(new Uint8Array()), register, register, register] }],
  ])('has no identity: %s', async (_, changed) => {
    expect(await tpmWith(changed).tpm.identity()).toMatchObject(failed);
  });

  test.each([
    ['a digest of one byte', digestList(Uint8Array.of(1))],
    ['a digest of 33', digestList(new Uint8Array(33))],
    ['no digest', digestList()],
    ['no list', new Uint8Array()],
  ])('quotes nothing: %s', async (_, digests) => {
    const { tpm } = tpmWith({ pcrRead: async (__, selection) => [1, selection, digests] });
    expect(await tpm.quote(register, [7])).toMatchObject(failed);
  });

  test('quotes nothing over registers that never hold still', async () => {
    let updates = 0;
    const digests = digestList(...Array.from({ length: 8 }, () => register));
    const pcrRead: Esys['pcrRead'] = async (_, selection) => {
      updates += 1;
      return [updates, selection, digests];
    };
    expect(await tpmWith({ pcrRead }).tpm.quote(register, [...Array(16).keys()])).toMatchObject(failed);
  });
});
