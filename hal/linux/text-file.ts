/** Small files of procfs and sysfs, as text. */
import { readFileSync } from 'node:fs';

/** @returns what is in it, undefined where it cannot be read */
export type ReadText = (path: string) => string | undefined;

const maxFileCharacters = 1024 * 1024;

export const readTextFile: ReadText = (path) => {
  try {
    return readFileSync(path, 'latin1').slice(0, maxFileCharacters);
  } catch {
    return undefined;
  }
};
