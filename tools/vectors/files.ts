/** From paths to parsed JSON files, or one sentence that says why not. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, deny, type Result } from '#hal/core/result';

export interface VectorFile {
  readonly file: string;
  readonly content: unknown;
}

/** A file is taken as it is; a directory gives every `.json` file beneath it, sorted. */
export const vectorFiles = (path: string): Result<readonly string[]> => {
  const found = attempt(
    () => (statSync(path).isDirectory() ? jsonBeneath(path) : [path]),
    () => deny('protocol', 'file-unreadable', `${path}: no such file or directory, or no permission to read it.`),
  );
  if (!found.ok || found.value.length > 0) return found;
  return deny('protocol', 'file-unreadable', `${path}: no .json file in this directory.`);
};

const jsonBeneath = (directory: string): readonly string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(directory, name));

export const readVectors = (file: string): Result<VectorFile> => {
  const text = attempt(
    () => readFileSync(file, 'utf8'),
    (cause) => deny('protocol', 'file-unreadable', `${file}: cannot be read (${cause}).`),
  );
  if (!text.ok) return text;
  return attempt(
    () => ({ file, content: JSON.parse(text.value) as unknown }),
    (cause) => deny('protocol', 'file-unreadable', `${file}: is not JSON (${cause}).`),
  );
};
