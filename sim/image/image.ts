/** Images of this build: made once a run of the simulator, or of the tests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuiltImage, buildImage } from './build.ts';

type Files = ReadonlyMap<string, string>;

/**
 * Of the simulator, with its doors and a shell.
 * @param project folder of this build; packages and keys are kept in it. @param folder where the image goes
 * @param more files of the root file system, by path
 */
export const imageOfBuild = (
  project: string,
  folder: string,
  say: (line: string) => void,
  kernelWords: readonly string[] = [],
  more: Files = new Map(),
): Promise<BuiltImage> => imageWith(project, folder, say, kernelWords, new Map([...simulatorFiles(project), ...more]));

/** What a device would be given: nothing of a simulator is in it (SR-04), nor does anybody tell it where it is. */
export const releaseImageOfBuild = (
  project: string,
  folder: string,
  say: (line: string) => void,
  more: Files = new Map(),
): Promise<BuiltImage> => imageWith(project, folder, say, [], more);

/** Beside what every device has installed, or in place of it. */
const simulatorFiles = (project: string): Files => {
  const text = (path: string) => readFileSync(join(project, path), 'utf8');
  return new Map([
    ['etc/enigm/machine.sh', text('sim/image/guest/machine.sh')],
    ['usr/lib/enigm-sim/doors.cjs', text('dist/machine/doors.cjs')],
    ['usr/lib/enigm/hald.cjs', text('dist/machine/hald.cjs')],
  ]);
};

const imageWith = (
  project: string,
  folder: string,
  say: (line: string) => void,
  kernelWords: readonly string[],
  more: Files,
): Promise<BuiltImage> =>
  buildImage(
    folder,
    {
      node: process.execPath,
      programs: join(project, 'dist/device'),
      addon: join(project, 'build/native/tpm.node'),
      scripts: join(project, 'sim/image/guest'),
      cache: join(project, 'build/packages'),
      keys: join(project, 'build/image-keys'),
      ...{ more, kernelWords },
    },
    say,
  );
