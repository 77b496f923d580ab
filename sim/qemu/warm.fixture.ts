/**
 * A machine of this build that was provisioned once, and every machine that goes on from there: a start that costs less
 * than a second. Kept for one emulator, one command line and one image; whatever else asks gets a new cold start.
 */
import { join } from 'node:path';
import { unwrap } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import { writeSite } from './device.ts';
import { guestTool } from './guest-tool.fixture.ts';
import { buildTestImage, clock, healthy, imageFolder, project, started, testDevice } from './machine.fixture.ts';
import type { RunningMachine } from './machine.ts';
import { lonelySite } from './site.fixture.ts';
import { hasSnapshot, restoreSnapshot, saveSnapshot, snapshotKey } from './snapshot.ts';

const snapshot = join(project, 'build/warm/snapshot');
const slowMs = 300_000;

/** Builds the image, and the snapshot where there is none of it. */
export const warmUp = async (): Promise<void> => {
  await buildTestImage();
  const key = unwrap(await snapshotKey(imageFolder, {}));
  if (hasSnapshot(snapshot, key)) return;
  using made = await testDevice();
  writeSite(made.device, await lonelySite(clock), await guestTool('mouth'));
  const machine = await started(made.device);
  await healthy(machine);
  unwrap(await machine.shell('enigmctl provision --technician ada', slowMs));
  // The filter before the TPM is there from the next life of the hands on.
  unwrap(await machine.shell('kill $(busybox pidof enigm-hald)'));
  unwrap(
    await machine.shell('until [ -S /run/enigm/hald/tpm.sock ] && [ -S /run/enigm/agentd/api.sock ]; do sleep 0.5; done', slowMs),
  );
  console.log(`started and provisioned after ${machine.cpuSeconds().toFixed(1)} s of processor`);
  unwrap(await saveSnapshot(machine, made.device, snapshot, key));
};

export const warmMachine = async (name: string): Promise<RunningMachine> => {
  const beganMs = clock.bootMs();
  const { machine } = unwrap(
    await restoreSnapshot(snapshot, join(project, 'build/warm', name), { clock, random: systemRandom, limitMs: 600_000 }),
  );
  console.log(`${name} answered after ${clock.bootMs() - beganMs} ms`);
  return machine;
};
