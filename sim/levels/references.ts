/**
 * What the verifier of a world takes for good: a device that runs one of these releases. Kept, since a device that was
 * updated yesterday is still on that release today.
 */
import { join } from 'node:path';
import type { ReferenceSet } from '#attestation/references';
import { fromHex, toHex, utf8 } from '#hal/core/bytes';
import { type Result, unwrap } from '#hal/core/result';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import { imageOf, referencesOf } from '#sim/machine/image';

export interface LiveReferences {
  sets(): readonly ReferenceSet[];
  has(verityRoot: Uint8Array): boolean;
  /** From now on; one that is known already is no other. */
  add(name: string, verityRoot: Uint8Array): Result<void>;
}

/** @param directory of the peers. @param programs of the build: what every release of it measures */
export const openReferences = (directory: string, programs: string): LiveReferences => {
  const path = join(directory, 'references.json');
  const kept = unwrap(readIfThere(path));
  const names = new Map(
    kept === undefined ? [] : Object.entries(JSON.parse(Buffer.from(kept).toString('utf8')) as Record<string, string>),
  );
  const setOf = (root: string, name: string) => referencesOf(name, imageOf(programs, fromHex(root) ?? new Uint8Array(32)));
  const sets = new Map([...names].map(([root, name]) => [root, setOf(root, name)]));
  return {
    sets: () => [...sets.values()],
    has: (verityRoot) => sets.has(toHex(verityRoot)),
    add(name, verityRoot) {
      const root = toHex(verityRoot);
      names.set(root, name);
      sets.set(root, setOf(root, name));
      return writeAtomically(path, utf8(JSON.stringify(Object.fromEntries(names))));
    },
  };
};
