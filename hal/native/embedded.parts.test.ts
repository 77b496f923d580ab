import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { concat, toHex, u16be, u32be, utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { alg, nvAttribute } from '#hal/tpm/constants';
import { encodedTemplate } from '#hal/tpm/templates';
import { contentOf, empty2b, nvPublic } from '#hal/tpm/wire';
import { handles } from './commands.ts';
import type { Esys } from './esys.ts';
import { openSimulatedEsys } from './esys-sim.ts';
import {
  addonPaths,
  buildAddons,
  createAttestationKey,
  createPrimary,
  password,
  sha256Pcrs,
  startEmbedded,
  temporaryDirectory,
} from './testing.ts';
import { transientScope } from './transient.ts';

const missing = buildAddons();

const sha256 = (...parts: readonly Uint8Array[]) =>
  createHash('sha256')
    .update(concat(...parts))
    .digest();

const counterIndex = 0x01500020;
const counterAttributes = nvAttribute.counter | nvAttribute.authWrite | nvAttribute.authRead | nvAttribute.noDa;

describe.skipIf(missing !== undefined)(`the state of a TPM inside the process ${missing ?? ''}`, () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let esys: Esys;

  beforeEach(async () => {
    directory = temporaryDirectory();
    esys = await startEmbedded(directory.path);
  });
  afterEach(async () => {
    await esys.close();
    directory[Symbol.dispose]();
  });

  test('makes the same endorsement and attestation keys after a power cycle', async () => {
    const keys = async () => {
      await using scope = await transientScope(esys);
      const ek = await createPrimary(esys, handles.endorsement, encodedTemplate.endorsement);
      scope.keep(ek.handle);
      const ak = await createAttestationKey(esys);
      scope.keep(ak.handle);
      return [toHex(ek.publicArea), toHex(ak.publicArea)];
    };
    const before = await keys();
    await esys.close();
    esys = await startEmbedded(directory.path);
    expect(await keys()).toEqual(before);
  });

  test('keeps an NV counter over a power cycle', async () => {
    const read = async (index: number) =>
      Buffer.from(contentOf(await esys.nvRead(index, index, password, 8, 0))).readBigUInt64BE();
    const index = await esys.nvDefineSpace(handles.owner, password, empty2b, nvPublic(counterIndex, counterAttributes, 8));
    await esys.nvIncrement(index, index, password);
    const first = await read(index);
    await esys.nvIncrement(index, index, password);
    await esys.close();

    esys = await startEmbedded(directory.path);
    const again = await esys.handleOf(counterIndex, []);
    expect(await read(again)).toBe(first + 1n);
    await esys.nvIncrement(again, again, password);
    expect(await read(again)).toBe(first + 2n);
    const [publicInfo, name] = await esys.nvReadPublic(again, []);
    expect(name).toEqual(await esys.nameOf(again));
    expect(contentOf(name).subarray(2)).toEqual(new Uint8Array(sha256(contentOf(publicInfo))));
  });

  test('refuses a second opener of the same state, and opens it again after close', async () => {
    const options = { addon: addonPaths.sim, embedded: directory.path };
    const second = await openSimulatedEsys(options);
    expect(second).toMatchObject({ ok: false, fault: { category: 'unavailable', reason: 'tpm-missing' } });
    expect(second.ok ? '' : second.fault.detail).toContain('is in use');
    await esys.close();
    await unwrap(await openSimulatedEsys(options)).close();
  });

  test('refuses a state that is not one', async () => {
    await esys.close();
    writeFileSync(join(directory.path, 'permall'), 'not a state');
    const opened = await openSimulatedEsys({ addon: addonPaths.sim, embedded: directory.path });
    expect(opened.ok ? '' : opened.fault.detail).toContain('libtpms does not start on the state in');
  });

  test('stores its state with fsync where that is asked for', async () => {
    const path = join(directory.path, 'synced');
    const options = { addon: addonPaths.sim, embedded: path, syncState: true };
    const synced = unwrap(await openSimulatedEsys(options));
    await synced.startup(0);
    await synced.nvDefineSpace(handles.owner, password, empty2b, nvPublic(counterIndex, counterAttributes, 8));
    await synced.close();
    const again = unwrap(await openSimulatedEsys(options));
    await again.startup(0);
    await again.handleOf(counterIndex, []);
    await again.close();
  });

  test('resumes its state after an orderly shutdown', async () => {
    await esys.pcrExtend(0, password, concat(u32be(1), u16be(alg.sha256), sha256(utf8('boot'))));
    const before = await esys.pcrRead([], sha256Pcrs([0]));
    await esys.selfTest([], 1);
    await esys.shutdown([], 1);
    await esys.close();
    esys = unwrap(await openSimulatedEsys({ addon: addonPaths.sim, embedded: directory.path }));
    await esys.startup(1);
    expect((await esys.pcrRead([], sha256Pcrs([0])))[2]).toEqual(before[2]);
  });
});

describe.skipIf(missing !== undefined)(`many TPMs inside one process ${missing ?? ''}`, () => {
  test('17 of them are distinct, work at the same time, and survive each other', async () => {
    using directory = temporaryDirectory();
    const open = (index: number) => startEmbedded(join(directory.path, String(index)));
    const tpms = await Promise.all(Array.from({ length: 17 }, (_, index) => open(index)));
    const keys = await Promise.all(tpms.map(createAttestationKey));
    expect(new Set(keys.map(({ publicArea }) => toHex(publicArea))).size).toBe(17);
    await Promise.all(
      tpms.map((tpm, index) => tpm.pcrExtend(16, password, concat(u32be(1), u16be(alg.sha256), sha256(u32be(index))))),
    );
    // Every second one loses power; the others keep their registers and keys.
    await Promise.all(tpms.filter((_, index) => index % 2 === 1).map((tpm) => tpm.close()));
    const expectRegister = async (tpm: Esys, index: number) => {
      const [, , values] = await tpm.pcrRead([], sha256Pcrs([16]));
      expect(toHex(values.subarray(6))).toBe(toHex(sha256(new Uint8Array(32), sha256(u32be(index)))));
    };
    for (const [index, tpm] of tpms.entries()) if (index % 2 === 0) await expectRegister(tpm, index);
    const again = await open(1);
    const key = await createAttestationKey(again);
    expect(toHex(key.publicArea)).toBe(toHex(keys[1]?.publicArea ?? new Uint8Array()));
    await Promise.all([again.close(), ...tpms.map((tpm) => tpm.close())]);
  });

  test('a hundred power cycles leave no file open and no copy of the library mapped', async () => {
    using directory = temporaryDirectory();
    const held = () => [
      readdirSync('/proc/self/fd').length,
      readFileSync('/proc/self/maps', 'utf8').match(/memfd:tpm/g)?.length ?? 0,
    ];
    await (await startEmbedded(directory.path)).close();
    const before = held();
    for (let cycle = 0; cycle < 100; cycle++) await (await startEmbedded(directory.path)).close();
    expect(held()).toEqual(before);
  });
});
