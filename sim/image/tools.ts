/** The system's tools that an image is made with: each by its whole path, bounded in time, without our environment. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const execute = promisify(execFile);
/** Files honour it that would else bear the time of the build (reproducible-builds.org). */
export const buildTimeSeconds = 1_700_000_000;
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC', SOURCE_DATE_EPOCH: String(buildTimeSeconds) };
const limits = { timeout: 300_000, maxBuffer: 64 * 1024 * 1024, env } as const;

/** Everything that `make image` starts. */
export const imageTools = {
  mmdebstrap: '/usr/bin/mmdebstrap',
  tar: '/usr/bin/tar',
  depmod: '/usr/sbin/depmod',
  modprobe: '/usr/sbin/modprobe',
  readelf: '/usr/bin/readelf',
  makeErofs: '/usr/bin/mkfs.erofs',
  makeFat: '/usr/sbin/mkfs.vfat',
  makeDirectory: '/usr/bin/mmd',
  copyIn: '/usr/bin/mcopy',
} as const;
export type ImageTool = keyof typeof imageTools;

/** Files that are looked for and not there. */
export const missingTools = (isThere: (path: string) => boolean = existsSync): readonly string[] =>
  [...Object.values(imageTools), stubPath].filter((path) => !isThere(path));

/** systemd's stub, which starts the kernel of a unified image and measures its parts. */
export const stubPath = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub';

/** @returns what it said; throws with what it complained of */
export const runTool = async (tool: ImageTool, words: readonly string[], folder?: string): Promise<string> => {
  const options = folder === undefined ? limits : { ...limits, cwd: folder };
  return (await execute(imageTools[tool], [...words], options)).stdout;
};
