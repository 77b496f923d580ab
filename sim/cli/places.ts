/** Where the devices of a directory are. */
import { join } from 'node:path';
import { runDirectoryOf } from '#sim/levels/run-directory';
import type { TpmKind } from '#sim/machine/machine';

/** Real processes with a TPM of one kind or the other, or a whole machine in the emulator. */
export type DeviceKind = TpmKind | 'qemu';

/** A device is bound to its TPM, so devices with another kind of TPM are other devices, with far ends of their own. */
export const worldDirectoryOf = (directory: string, kind: DeviceKind): string =>
  kind === 'embedded' ? directory : join(directory, kind);

/** The device of the day. */
export const firstDeviceOf = (directory: string, kind: DeviceKind): string => join(worldDirectoryOf(directory, kind), 'device-1');

/** Where the sockets of every device of a directory are. */
export const runDirectoriesOf = (directory: string, kind: DeviceKind): readonly string[] =>
  ['device-1', 'device-2'].map((name) => runDirectoryOf(join(worldDirectoryOf(directory, kind), name)));
