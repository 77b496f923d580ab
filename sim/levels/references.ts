/**
 * What the verifier of a world takes for good: a device that runs one of these releases. Kept, since a device that was
 * updated yesterday is still on that release today.
 */
import { join } from 'node:path';
import type { ReferenceSet } from '#attestation/references';
import { fromHex, toHex, utf8 } from '#hal/core/bytes';
import { type Result, unwrap } from '#hal/core/result';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';

export interface LiveReferences {
  sets(): readonly ReferenceSet[];
  has(verityRoot: Uint8Array): boolean;
  /** From now on; one that is known already is no other. */
  add(name: string, verityRoot: Uint8Array): Result<void>;
}

/** @param directory of the peers. @param setsOf what a device measures that runs a release, by its name and the root of its hash tree */
export const openReferences = (
  directory: string,
  setsOf: (name: string, verityRoot: Uint8Array) => readonly ReferenceSet[],
): LiveReferences => {
  const path = join(directory, 'references.json');
  const kept = unwrap(readIfThere(path));
  const names = new Map(
    kept === undefined ? [] : Object.entries(JSON.parse(Buffer.from(kept).toString('utf8')) as Record<string, string>),
  );
  const sets = new Map([...names].map(([root, name]) => [root, setsOf(name, fromHex(root) ?? new Uint8Array(32))]));
  return {
    sets: () => [...sets.values()].flat(),
    has: (verityRoot) => sets.has(toHex(verityRoot)),
    add(name, verityRoot) {
      const root = toHex(verityRoot);
      names.set(root, name);
      sets.set(root, setsOf(name, verityRoot));
      return writeAtomically(path, utf8(JSON.stringify(Object.fromEntries(names))));
    },
  };
};
