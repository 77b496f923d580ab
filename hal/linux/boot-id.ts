/** The kernel's own id of this boot (proc(5), random/boot_id): 16 bytes, new at each boot. */
import { readFileSync } from 'node:fs';
import { fromHex } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';

export const kernelBootId = (): Result<Uint8Array> => {
  const bytes = fromHex(readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().replaceAll('-', ''));
  return bytes?.length === 16 ? ok(bytes) : deny('unavailable', 'not-supported', 'boot id');
};
