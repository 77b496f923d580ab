/**
 * Variables of UEFI firmware through efivarfs (Linux Documentation/filesystems/efivarfs.rst): four bytes of attributes,
 * then the data, in one write. What the kernel does not know it makes immutable; then it is made changeable first.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { concat, u32le } from '#hal/core/bytes';
import { attempt, deny, done, ok, type Result } from '#hal/core/result';
import type { Commands } from '#hal/ports/commands';

export interface EfiVariables {
  /** @returns the data, undefined where there is no such variable; or `unavailable/storage-failed` */
  read(name: string, vendor: string): Result<Uint8Array | undefined>;
  /** Kept over power, visible to firmware and system. Reads back what it wrote. */
  write(name: string, vendor: string, data: Uint8Array): Promise<Result<void>>;
  /** Nothing where it is not there. */
  remove(name: string, vendor: string): Promise<Result<void>>;
}

export const efiVariablesPath = '/sys/firmware/efi/efivars';
export const chattr = '/usr/bin/chattr';
/** NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS (UEFI 2.10 §8.2.1). */
const attributes = 0x07;
const attributeBytes = 4;

export const linuxEfiVariables = (commands: Commands, folder = efiVariablesPath): EfiVariables => {
  const pathOf = (name: string, vendor: string): string => join(folder, `${name}-${vendor}`);
  const failed = (cause: string) => deny('unavailable', 'storage-failed', cause);
  const read: EfiVariables['read'] = (name, vendor) => {
    const path = pathOf(name, vendor);
    return attempt(() => (existsSync(path) ? new Uint8Array(readFileSync(path)).subarray(attributeBytes) : undefined), failed);
  };
  const makeChangeable = async (path: string): Promise<void> => {
    if (existsSync(path)) await commands.run(chattr, ['-i', path]);
  };
  return {
    read,
    async write(name, vendor, data) {
      const path = pathOf(name, vendor);
      await makeChangeable(path);
      const written = attempt(() => writeFileSync(path, concat(u32le(attributes), data)), failed);
      if (!written.ok) return written;
      const back = read(name, vendor);
      if (!back.ok) return back;
      return back.value !== undefined && Buffer.compare(back.value, data) === 0 ? done : failed(`${name} does not read back`);
    },
    async remove(name, vendor) {
      const path = pathOf(name, vendor);
      await makeChangeable(path);
      const removed = attempt(() => rmSync(path, { force: true }), failed);
      return removed.ok ? ok(undefined) : removed;
    },
  };
};
