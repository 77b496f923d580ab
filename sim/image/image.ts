/** The image of this build: made once a run of the simulator, or of the tests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repairTrustPath } from '#agents/programs/layout';
import { type BuiltImage, buildImage } from './build.ts';

/**
 * @param project folder of this build; packages and keys are kept in it. @param folder where the image goes
 * @param more files of the root file system, by path; whom recovery believes goes into that of recovery
 */
export const imageOfBuild = (
  project: string,
  folder: string,
  say: (line: string) => void,
  kernelWords: readonly string[] = [],
  more: ReadonlyMap<string, string> = new Map(),
): Promise<BuiltImage> => {
  const isOfRecovery = ([path]: readonly [string, string]) => path === repairTrustPath.slice(1);
  return buildImage(
    folder,
    {
      node: process.execPath,
      programs: join(project, 'dist/device'),
      addon: join(project, 'build/native/tpm.node'),
      more: new Map([
        ['etc/enigm/machine.sh', readFileSync(join(project, 'sim/image/guest/machine.sh'), 'utf8')],
        ['usr/lib/enigm-sim/doors.cjs', readFileSync(join(project, 'dist/machine/doors.cjs'), 'utf8')],
        ['usr/lib/enigm/hald.cjs', readFileSync(join(project, 'dist/machine/hald.cjs'), 'utf8')],
        ...[...more].filter((file) => !isOfRecovery(file)),
      ]),
      recoveryProgram: join(project, 'dist/recovery/recover.cjs'),
      recoveryFiles: new Map([
        ['etc/enigm/machine.sh', readFileSync(join(project, 'sim/image/guest/recovery-machine.sh'), 'utf8')],
        ...[...more].filter(isOfRecovery),
      ]),
      scripts: join(project, 'sim/image/guest'),
      kernelWords,
      cache: join(project, 'build/packages'),
      keys: join(project, 'build/image-keys'),
    },
    say,
  );
};
