/** What a machine in the emulator needs of the system, and who installs it. */
import { existsSync } from 'node:fs';
import { variablesTemplate } from '#sim/image/build';
import { missingTools } from '#sim/image/tools';
import { firmware, qemu } from './arguments.ts';

/** By what a person calls them. */
const needed: readonly (readonly [what: string, path: string])[] = [
  ['QEMU', qemu],
  ["QEMU's tools for disks", '/usr/bin/qemu-img'],
  ['OVMF', firmware],
  ['OVMF', variablesTemplate],
  ['swtpm', '/usr/bin/swtpm'],
];

/** @param isThere whether a file is; tests say otherwise. @returns one sentence, or nothing where a machine can be started */
export const missingForStart = (isThere: (path: string) => boolean = existsSync): string | undefined =>
  sentence(needed.filter(([, path]) => !isThere(path)).map(([what]) => what));

/** And where its image can be built too. */
export const missingForMachines = (isThere: (path: string) => boolean = existsSync): string | undefined =>
  missingForStart(isThere) ?? sentence(missingTools(isThere));

const sentence = (missing: readonly string[]): string | undefined =>
  missing.length === 0
    ? undefined
    : `a machine in the emulator needs ${[...new Set(missing)].join(', ')}: make setup-machine installs them`;
