import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseEventLog } from '#attestation/eventlog/parse';
import { replayBank } from '#attestation/eventlog/replay';
import { toHex } from '#hal/core/bytes';
import { ok, unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { systemRandom } from '#hal/linux/random';
import type { Esys } from '#hal/native/esys';
import { openSimulatedEsys } from '#hal/native/esys-sim';
import { addonPaths, buildAddons, createAttestationKey, sha256Pcrs, temporaryDirectory } from '#hal/native/testing';
import { bootMachine } from './firmware.ts';
import { type Image, measuredPrograms } from './image.ts';
import { type Swtpm, startSwtpm } from './swtpm.ts';

const isInstalled = spawnSync('sh', ['-c', 'command -v swtpm']).status === 0;
const missing = isInstalled ? buildAddons() : 'swtpm is missing: apt-get install swtpm';

describe.skipIf(missing !== undefined)(`the simulated firmware ${missing ?? ''}`, () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let swtpm: Swtpm;
  let image: Omit<Image, 'verityRoot'>;
  const open = async (): Promise<Esys> =>
    unwrap(await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { path: swtpm.commandPath } }));
  let starts: number;
  let verityRoot: Uint8Array;
  const boot = async (esys: Esys) =>
    unwrap(
      await bootMachine(
        esys,
        {
          directory: directory.path,
          imageOf: (root) => ({ ...image, verityRoot: root }),
          startSlot: async () => {
            starts += 1;
            return ok({ slot: 'b', verityRoot });
          },
        },
        systemRandom,
      ),
    );
  const registers = async (esys: Esys) => {
    const [, , values] = await esys.pcrRead([], sha256Pcrs([0, 4, 7, 11]));
    return toHex(values);
  };

  beforeEach(async () => {
    directory = temporaryDirectory();
    const programs = join(directory.path, 'programs');
    mkdirSync(programs);
    for (const name of measuredPrograms) writeFileSync(join(programs, name), name);
    image = { programs, isSecureBootOn: true, commandLine: 'quiet' };
    starts = 0;
    verityRoot = new Uint8Array(32).fill(1);
    swtpm = unwrap(
      await startSwtpm({ stateDirectory: join(directory.path, 'state'), socketDirectory: directory.path, clock: linuxClock() }),
    );
  });
  afterEach(async () => {
    await swtpm.stop();
    directory[Symbol.dispose]();
  });

  test('boots once: hands that restart find the boot as it is, its log, its registers and its slot', async () => {
    const first = await open();
    const before = await boot(first);
    const measured = await registers(first);
    const log = readFileSync(before.logPath);
    await first.close();

    const second = await open();
    expect(await boot(second)).toEqual(before);
    expect([before.running, starts]).toEqual([{ slot: 'b', verityRoot }, 1]);
    expect(await registers(second)).toBe(measured);
    expect(readFileSync(before.logPath)).toEqual(log);
    await second.close();

    await swtpm.powerCycle();
    const third = await open();
    expect(toHex((await boot(third)).bootId)).not.toBe(toHex(before.bootId));
    expect(await registers(third)).toBe(measured);
    expect(starts).toBe(2);
    await third.close();
  });

  test('measures what the slot holds into register 11 and no other: releases are told apart by it', async () => {
    const read = async () => {
      const esys = await open();
      const { logPath } = await boot(esys);
      const [, , values] = await esys.pcrRead([], sha256Pcrs([0, 4, 7, 11]));
      await esys.close();
      const events = unwrap(parseEventLog(new Uint8Array(readFileSync(logPath))));
      expect(toHex(replayBank(events, 'sha256')?.get(11) ?? new Uint8Array())).toBe(toHex(values).slice(-64));
      return toHex(values);
    };
    const first = await read();
    verityRoot = new Uint8Array(32).fill(2);
    await swtpm.powerCycle();
    const second = await read();
    expect(second.slice(0, -64)).toBe(first.slice(0, -64));
    expect(second.slice(-64)).not.toBe(first.slice(-64));
  });

  test('leaves the room in the TPM to the new hands that killed ones took', async () => {
    const killed = await open();
    await boot(killed);
    for (let object = 0; object < 3; object += 1) await createAttestationKey(killed);
    await expect(createAttestationKey(killed)).rejects.toMatchObject({ rc: 0x902 });
    // Nothing of the first is closed in order: that is what a kill is.
    const next = await open();
    await boot(next);
    for (let object = 0; object < 3; object += 1) await createAttestationKey(next);
    await Promise.all([next.close(), killed.close()]);
  });
});
