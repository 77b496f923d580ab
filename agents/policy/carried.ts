/** A repository that was carried to the device, in place of the one that the mouth reaches (SR-17). */
import type { ReadRange } from '#agents/mind/far-ends';
import { deny, ok } from '#hal/core/result';

/** Contents by path, as the repository serves them. */
export type CarriedFiles = ReadonlyMap<string, Uint8Array>;

/** @returns a reader that refuses with `unavailable/not-found` what nobody carried */
export const readCarried =
  (files: CarriedFiles): ReadRange =>
  async (path, offset, mostBytes) => {
    const content = files.get(path);
    return content === undefined ? deny('unavailable', 'not-found', path) : ok(content.slice(offset, offset + mostBytes));
  };
