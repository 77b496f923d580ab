/**
 * Another bundle for a program of a machine that runs. Its root file system stays as it was verified: over one file of it
 * another is mounted, by whoever sits at the serial line, which the simulator's image alone has (SR-04).
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { installed } from '#agents/package/places';
import { deny, done, type Result } from '#hal/core/result';
import { type QemuDevice, siteBytes, toolBytes } from './device.ts';
import type { RunningMachine } from './machine.ts';

/** Asked, and a second later made to: whoever waits for an edit does not wait for a program to say goodbye. */
const end =
  'kill -TERM $id; for look in 1 2 3 4 5; do [ -d /proc/$id ] || break; sleep 0.2; done; [ -d /proc/$id ] && kill -KILL $id';

/**
 * @param name as its bundle is called. @param bundle at most `toolBytes` of it
 * @returns nothing once the machine has it and the one before has ended, which its supervisor starts again; `protocol/too-large`, or
 * `unavailable/storage-failed` where the machine read something else
 */
export const swapProgram = async (
  machine: RunningMachine,
  { site }: Pick<QemuDevice, 'site'>,
  name: string,
  bundle: Uint8Array,
): Promise<Result<void>> => {
  if (bundle.length > toolBytes) return deny('protocol', 'too-large', `${name}: ${bundle.length} bytes`);
  const disk = openSync(site, 'r+');
  writeSync(disk, bundle, 0, bundle.length, siteBytes);
  closeSync(disk);

  const [file, place] = [`/run/swapped/${name}.cjs`, `${installed.programs}/${name}.cjs`];
  const said = await machine.shell(
    [
      // What the kernel knows of the disk is from before.
      'busybox blockdev --flushbufs /dev/vdb',
      'mkdir -p /run/swapped',
      `head -c ${siteBytes + bundle.length} /dev/vdb | busybox tail -c ${bundle.length} > ${file}`,
      `grep -q " ${place} " /proc/mounts || mount -o bind ${file} ${place}`,
      `busybox sha256sum < ${place}`,
      `busybox ps | grep -E ' enigm-${name}$|/${name}[.]cjs$' | while read -r id words; do ${end}; done`,
    ].join('; '),
  );
  if (!said.ok) return said;
  const digest = createHash('sha256').update(bundle).digest('hex');
  return said.value.includes(digest) ? done : deny('unavailable', 'storage-failed', said.value);
};
