/**
 * A machine of this build that was provisioned once, and every machine that goes on from there: a start that costs less
 * than a second. Kept for one emulator, one command line and one image; whatever else asks gets a new cold start.
 */
import { join } from 'node:path';
import { unwrap } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import { guestTool } from './guest-tool.fixture.ts';
import { buildTestImage, clock, imageFolder, project } from './machine.fixture.ts';
import type { RunningMachine } from './machine.ts';
import { provisionedSnapshot } from './provisioned.ts';
import { hasSnapshot, restoreSnapshot, snapshotKey } from './snapshot.ts';

const folder = join(project, 'build/warm');
const snapshot = join(folder, 'snapshot');

/** Builds the image, and the snapshot where there is none of it. */
export const warmUp = async (): Promise<void> => {
  await buildTestImage();
  const key = unwrap(await snapshotKey(imageFolder, {}));
  if (hasSnapshot(snapshot, key)) return;
  const options = { project, image: imageFolder, folder: join(folder, 'made'), clock, tool: await guestTool('mouth') };
  unwrap(await provisionedSnapshot(options, snapshot, key));
};

export const warmMachine = async (name: string): Promise<RunningMachine> => {
  const beganMs = clock.bootMs();
  const { machine } = unwrap(
    await restoreSnapshot(snapshot, join(folder, name), { clock, random: systemRandom, limitMs: 600_000 }),
  );
  console.log(`${name} answered after ${clock.bootMs() - beganMs} ms`);
  return machine;
};
