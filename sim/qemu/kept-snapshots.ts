/** Snapshots that a person keeps, each under a name of its own. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { keyFile } from './snapshot.ts';

export interface KeptSnapshot {
  readonly name: string;
  readonly savedAtMs: number;
  /** Of all its files, as they lie on the disk. */
  readonly bytes: number;
}

const maxNameCharacters = 32;

/** A slug: it is also the name of a folder. */
export const isSnapshotName = (name: string): boolean =>
  name.length <= maxNameCharacters && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name);

/** @param folder of all of them, which need not be there. @returns those that are whole, by name */
export const keptSnapshots = (folder: string): readonly KeptSnapshot[] =>
  namesIn(folder)
    .filter((name) => isSnapshotName(name) && existsSync(join(folder, name, keyFile)))
    .toSorted()
    .map((name) => {
      const place = join(folder, name);
      return { name, savedAtMs: statSync(join(place, keyFile)).mtimeMs, bytes: bytesIn(place) };
    });

/** With whatever a save that was cut left of it. @returns whether it was there */
export const removeSnapshot = (folder: string, name: string): boolean => {
  const wasThere = keptSnapshots(folder).some((kept) => kept.name === name);
  for (const place of [name, `${name}.begun`]) rmSync(join(folder, place), { recursive: true, force: true });
  return wasThere;
};

const namesIn = (folder: string): readonly string[] => (existsSync(folder) ? readdirSync(folder) : []);

/** `stat(2)` counts blocks of 512 bytes. */
const bytesIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce(
    (sum, name) => sum + statSync(join(folder, name)).blocks * 512,
    0,
  );
