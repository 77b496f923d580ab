/** Of a copy of the administration's repository, what a device needs: the roots, the newest metadata, the newest bundles. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { managedClasses } from '#agents/policy/bundles';
import { attempt, deny, ok, type Result } from '#hal/core/result';
import type { CarriedRepository } from '#protos/gen/types';

/** Of each class; a device asks for one, and somebody may have published meanwhile. */
const maxBundles = 8;
/** Of one message to the device (`@message`), with room for names. */
const maxBytes = 3 * 1024 * 1024 - 64 * 1024;
const maxFiles = 256;
/** Of one file (`CarriedFile`). */
const maxFileBytes = 1024 * 1024;
const versioned = /^(\d+)\.(.+)$/;
/** Others are of whoever copied it: of a file manager, an editor. */
const ofRepository = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** @returns what is carried; `unavailable/not-found` where this is no repository, `protocol/too-large`, `unavailable/storage-failed` */
export const carriedRepository = (folder: string): Result<CarriedRepository> => {
  const timestamp = join(folder, 'metadata/timestamp.json');
  if (!existsSync(timestamp)) return deny('unavailable', 'not-found', timestamp);
  const files = attempt(
    () =>
      [...newestMetadata(folder), ...managedClasses.flatMap((kind) => newestBundles(folder, `targets/${kind}`))].map((path) => ({
        path,
        bytes: new Uint8Array(readFileSync(join(folder, path))),
      })),
    (cause) => deny('unavailable', 'storage-failed', cause),
  );
  if (!files.ok) return files;
  const sizeBytes = files.value.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const hasLarge = files.value.some(({ bytes }) => bytes.length > maxFileBytes);
  return hasLarge || files.value.length > maxFiles || sizeBytes > maxBytes
    ? deny('protocol', 'too-large', `${files.value.length} files, ${sizeBytes} bytes`)
    : ok({ files: files.value });
};

/** Every root, since each is trusted by the one before; of each other role the highest version (TUF 1.0, consistent snapshots). */
const newestMetadata = (folder: string): readonly string[] => {
  const names = readdirSync(join(folder, 'metadata')).filter((name) => ofRepository.test(name));
  const highest = new Map<string, number>();
  for (const name of names) {
    const [, version, role = ''] = versioned.exec(name) ?? [];
    if (version !== undefined) highest.set(role, Math.max(highest.get(role) ?? 0, Number(version)));
  }
  return names
    .filter((name) => {
      const [, version, role = ''] = versioned.exec(name) ?? [];
      return version === undefined || role === 'root.json' || highest.get(role) === Number(version);
    })
    .map((name) => `metadata/${name}`);
};

const newestBundles = (folder: string, place: string): readonly string[] => {
  if (!existsSync(join(folder, place))) return [];
  const modified = (name: string) => statSync(join(folder, place, name)).mtimeMs;
  return readdirSync(join(folder, place))
    .filter((name) => ofRepository.test(name))
    .toSorted((one, other) => modified(other) - modified(one))
    .slice(0, maxBundles)
    .map((name) => `${place}/${name}`);
};
