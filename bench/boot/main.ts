/**
 * What a cold start of the emulated machine costs, in processor seconds of the emulator, user and system, phase by phase:
 * from power-on until every program of the image serves and the supervisor has heard the mind. The first start of a
 * device makes its data partition and finds nobody provisioned; the next one is that of a device in use.
 *
 * Nothing is added to the image: the machine is asked afterwards, and its clock is laid over that of its host.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { toolWords } from '#hal/linux/tool-words';
import { imageOfBuild } from '#sim/image/image';
import { missingTools } from '#sim/image/tools';
import { certifyEndorsement, newAuthority } from '#sim/peers/authority';
import { makeDevice, type QemuDevice, writeSite } from '#sim/qemu/device';
import { lonelySite } from '#sim/qemu/site';
import { measureStart, type Start } from './start.ts';

/** For a device in use. */
const targetCpuSeconds = 30;
const usage = `usage: tsx bench/boot/main.ts [--json] [--rounds N]

exit code: 0 the target is met, 1 it is missed, 2 these words, 3 something is not installed`;
const project = join(import.meta.dirname, '../..');
const clock = linuxClock();

interface Round {
  readonly first: Start;
  readonly next: Start;
}

/** A device that nobody started before, started twice. */
const newDevice = async (folder: string, image: string): Promise<QemuDevice> => {
  const maker = await newAuthority('Enigm simulated TPM maker', 'p256', clock);
  const device = unwrap(
    await makeDevice(folder, {
      ...{ image, addon: join(project, 'build/native/tpm-sim.node'), clock },
      certifyEndorsement: (endorsementPublic) => certifyEndorsement(maker, endorsementPublic, clock),
    }),
  );
  writeSite(device, await lonelySite(clock));
  return device;
};

const print = (name: string, { phases, programs, cpuSeconds, wallSeconds }: Start): void => {
  console.log(`${name}: healthy after ${cpuSeconds.toFixed(1)} CPU s, ${wallSeconds.toFixed(1)} s by the clock`);
  for (const phase of phases) console.log(`  ${phase.cpuSeconds.toFixed(2).padStart(6)} CPU s  ${phase.name}`);
  for (const program of programs) console.log(`         ${program.cpuSeconds.toFixed(2).padStart(6)} of it in ${program.name}`);
};

const main = async (): Promise<number> => {
  const { values } = toolWords(usage, { json: { type: 'boolean' }, rounds: { type: 'string', default: '1' } });
  const missing = missingTools();
  if (missing.length > 0) {
    console.error(`${missing.join(', ')} missing: make setup-machine installs them`);
    return 3;
  }
  const folder = mkdtempSync(join(tmpdir(), 'enigm-boot-'));
  const rounds: Round[] = [];
  try {
    const image = join(folder, 'image');
    mkdirSync(image);
    await imageOfBuild(project, image, () => undefined);
    for (let round = 0; round < Number(values.rounds); round++) {
      const device = await newDevice(join(folder, `device-${round}`), image);
      const first = await measureStart(device, clock, 'first');
      rounds.push({ first, next: await measureStart(device, clock, 'next') });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
  const healthyCpuSeconds = {
    first: median(rounds.map(({ first }) => first.cpuSeconds)),
    next: median(rounds.map(({ next }) => next.cpuSeconds)),
  };
  const isMet = healthyCpuSeconds.next <= targetCpuSeconds;
  if (values.json === true) console.log(JSON.stringify({ rounds, healthyCpuSeconds, targetCpuSeconds, isMet }));
  else {
    for (const { first, next } of rounds) {
      print('first start of a device', first);
      print('start of a device in use', next);
    }
    console.log(`in use, median: ${healthyCpuSeconds.next.toFixed(1)} CPU s (target ≤ ${targetCpuSeconds})`);
  }
  return isMet ? 0 : 1;
};

process.exitCode = await main();
