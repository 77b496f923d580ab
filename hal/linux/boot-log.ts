/** `BootLog` from a file: securityfs on a device, the device directory in the simulator. */
import { readFileSync, statSync } from 'node:fs';
import { deny, ok } from '#hal/core/result';
import type { BootLog } from '#hal/ports/boot-log';

/** Where the kernel shows the firmware's log of the first TPM. */
export const kernelBootLogPath = '/sys/kernel/security/tpm0/binary_bios_measurements';

/** The wire carries no larger log. */
const maxLogBytes = 1024 * 1024;

export const fileBootLog = (path: string): BootLog => ({
  read: async () => {
    try {
      if (statSync(path).size > maxLogBytes) return deny('protocol', 'too-large', 'boot log');
      return ok(new Uint8Array(readFileSync(path)));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === 'ENOENT' ? ok(new Uint8Array()) : deny('unavailable', 'storage-failed', message);
    }
  },
});
