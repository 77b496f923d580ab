/** The kernel's own id of this boot (proc(5), random/boot_id): 16 bytes, new at each boot. */
import { readFileSync } from 'node:fs';
import { fromHex } from '#hal/core/bytes';
import { attempt, deny, ok, type Result } from '#hal/core/result';

const notSupported = (cause: string) => deny('unavailable', 'not-supported', `boot id: ${cause}`);

/** @returns the id, or `unavailable/not-supported` */
export const kernelBootId = (path = '/proc/sys/kernel/random/boot_id'): Result<Uint8Array> => {
  const text = attempt(() => readFileSync(path, 'latin1'), notSupported);
  if (!text.ok) return text;
  const bytes = fromHex(text.value.trim().replaceAll('-', ''));
  return bytes?.length === 16 ? ok(bytes) : notSupported('of another form');
};
