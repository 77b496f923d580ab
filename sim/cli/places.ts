/** Where the devices of a directory are. */
import { join } from 'node:path';
import { runDirectoryOf } from '#sim/levels/run-directory';
import type { TpmKind } from '#sim/machine/machine';

/** A device is bound to its TPM, so devices with another kind of TPM are other devices, with far ends of their own. */
export const worldDirectoryOf = (directory: string, tpm: TpmKind): string =>
  tpm === 'embedded' ? directory : join(directory, tpm);

/** The device of the day. */
export const firstDeviceOf = (directory: string, tpm: TpmKind): string => join(worldDirectoryOf(directory, tpm), 'device-1');

/** Where the sockets of every device of a directory are. */
export const runDirectoriesOf = (directory: string, tpm: TpmKind): readonly string[] =>
  ['device-1', 'device-2'].map((name) => runDirectoryOf(join(worldDirectoryOf(directory, tpm), name)));
