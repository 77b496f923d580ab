/** `BootLog` from a file: securityfs on a device, the device directory in the simulator. */
import { closeSync, openSync, readSync } from 'node:fs';
import { deny, ok, type Result } from '#hal/core/result';
import type { BootLog } from '#hal/ports/boot-log';

/** Where the kernel shows the firmware's log of the first TPM. */
export const kernelBootLogPath = '/sys/kernel/security/tpm0/binary_bios_measurements';

/** The wire carries no larger log. */
const maxLogBytes = 1024 * 1024;

export const fileBootLog = (path: string): BootLog => ({
  read: async () => {
    try {
      return readBounded(path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === 'ENOENT' ? ok(new Uint8Array()) : deny('unavailable', 'storage-failed', message);
    }
  },
});

/** Read to the end, which alone tells how long it is: files of securityfs have a size of 0. */
const readBounded = (path: string): Result<Uint8Array> => {
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(maxLogBytes + 1);
    let length = 0;
    for (let count = -1; count !== 0 && length < bytes.length; length += count)
      count = readSync(file, bytes, length, bytes.length - length, null);
    return length > maxLogBytes ? deny('protocol', 'too-large', 'boot log') : ok(bytes.slice(0, length));
  } finally {
    closeSync(file);
  }
};
