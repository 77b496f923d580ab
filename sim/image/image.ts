/** Images of this build: made once a run of the simulator, or of the tests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repairTrustPath } from '#agents/programs/layout';
import { type BuiltImage, buildImage, type ImageSources } from './build.ts';

type Files = ReadonlyMap<string, string | Uint8Array>;

/**
 * Of the simulator, with its doors and a shell.
 * @param project folder of this build; packages and keys are kept in it. @param folder where the image goes
 * @param more files of the root file system, by path; whom recovery believes goes into that of recovery
 * @param floorEpoch of the release that it becomes
 */
export const imageOfBuild = (
  project: string,
  folder: string,
  say: (line: string) => void,
  kernelWords: readonly string[] = [],
  more: Files = new Map(),
  floorEpoch = 0,
): Promise<BuiltImage> => {
  const file = (path: string) => new Uint8Array(readFileSync(join(project, path)));
  const simulator: Files = new Map([
    ['etc/enigm/machine.sh', file('sim/image/guest/machine.sh')],
    ...['doors.cjs', 'doors.code'].map((name) => [`usr/lib/enigm-sim/${name}`, file(`dist/machine/${name}`)] as const),
    ...['hald.cjs', 'hald.code'].map((name) => [`usr/lib/enigm/${name}`, file(`dist/machine/${name}`)] as const),
  ]);
  const ofRecovery: Files = new Map([['etc/enigm/machine.sh', file('sim/image/guest/recovery-machine.sh')]]);
  return imageWith(project, folder, say, { kernelWords, floorEpoch, ...parted(more, simulator, ofRecovery) });
};

/** What a device would be given: nothing of a simulator is in it (SR-04), nor does anybody tell it where it is. */
export const releaseImageOfBuild = (
  project: string,
  folder: string,
  say: (line: string) => void,
  more: Files = new Map(),
): Promise<BuiltImage> =>
  imageWith(project, folder, say, { kernelWords: [], floorEpoch: 0, ...parted(more, new Map(), new Map()) });

const parted = (files: Files, ofRoot: Files, ofRecovery: Files): Pick<ImageSources, 'more' | 'recoveryFiles'> => {
  const isOfRecovery = (path: string) => path === repairTrustPath.slice(1);
  return {
    more: new Map([...ofRoot, ...[...files].filter(([path]) => !isOfRecovery(path))]),
    recoveryFiles: new Map([...ofRecovery, ...[...files].filter(([path]) => isOfRecovery(path))]),
  };
};

const imageWith = (
  project: string,
  folder: string,
  say: (line: string) => void,
  own: Pick<ImageSources, 'kernelWords' | 'floorEpoch' | 'more' | 'recoveryFiles'>,
): Promise<BuiltImage> =>
  buildImage(
    folder,
    {
      node: process.execPath,
      programs: join(project, 'dist/device'),
      addon: join(project, 'build/native/tpm.node'),
      firstRoot: join(project, 'build/native/first-root'),
      recoveryProgram: join(project, 'dist/recovery/recover.cjs'),
      scripts: join(project, 'sim/image/guest'),
      cache: join(project, 'build/packages'),
      keys: join(project, 'build/image-keys'),
      ...own,
    },
    say,
  );
