import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { concat, u16be } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { alg } from '#hal/tpm/constants';
import { tpm2b } from '#hal/tpm/public';
import { encodedTemplate } from '#hal/tpm/templates';
import type { Esys } from './esys.ts';
import { openSimulatedEsys } from './esys-sim.ts';
import { addonPaths, buildAddons } from './testing.ts';
import { type FakeTpm, fakeTpm } from './testing-fake.ts';

const missing = buildAddons();
const digest = tpm2b(new Uint8Array(32));

describe.skipIf(missing !== undefined)(`malformed arguments ${missing ?? ''}`, () => {
  let fake: FakeTpm;
  let esys: Esys;

  beforeAll(async () => {
    fake = await fakeTpm();
    esys = unwrap(await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { path: fake.path } }));
  });
  afterAll(async () => {
    await esys.close();
    expect(fake.commands).toEqual([]);
    await fake[Symbol.asyncDispose]();
  });

  test.each([
    ['a byte too many', () => esys.policyCpHash(1, [], concat(digest, Uint8Array.of(0)))],
    ['a byte too few', () => esys.policyCpHash(1, [], digest.subarray(0, 33))],
    ['no bytes at all', () => esys.policyCpHash(1, [], new Uint8Array())],
    ['more than the structure holds', () => esys.policyCpHash(1, [], tpm2b(new Uint8Array(65)))],
    ['an outer size that disagrees', () => esys.loadExternal([], null, concat(u16be(5), encodedTemplate.storage), 0x107)],
    ['an unknown algorithm', () => esys.startAuthSession(0xfff, 0xfff, [], null, 1, u16be(0x7777), alg.sha256)],
    ['a string for bytes', () => esys.policyCpHash(1, [], 'digest' as unknown as Uint8Array)],
    ['other numbers for bytes', () => esys.policyCpHash(1, [], new Uint16Array(17) as unknown as Uint8Array)],
    ['a negative number', () => esys.getRandom([], -1)],
    ['a number above 16 bits', () => esys.getRandom([], 0x10000)],
    ['a fraction', () => esys.getRandom([], 1.5)],
    ['no number', () => esys.getRandom([], Number.NaN)],
    ['a number where 64 bits are wanted', () => esys.nvSetBits(1, 1, [], 5 as unknown as bigint)],
    ['more than 64 bits', () => esys.nvSetBits(1, 1, [], 1n << 64n)],
    ['a negative BigInt', () => esys.nvSetBits(1, 1, [], -1n)],
    ['an argument too few', () => Reflect.apply(esys.getRandom, esys, [[]])],
    ['an argument too many', () => Reflect.apply(esys.getRandom, esys, [[], 8, 8])],
    ['a raw command that is too long', () => esys.transmit(new Uint8Array(4097))],
    ['a raw command that is no bytes', () => esys.transmit('GetRandom' as unknown as Uint8Array)],
  ])('throw, and nothing is sent: %s', async (_, act) => {
    expect(act).toThrow(TypeError);
  });
});
