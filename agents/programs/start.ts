/**
 * Starts a program with the code that was made of it when it was built; without that, or where this Node cannot use it, from
 * its text.
 *
 * usage: node start.cjs PROGRAM [WORD …]      PROGRAM then sees its own path and words, as if Node had started it
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Script } from 'node:vm';
import { asFunction, cacheOf, labelBytes } from './code-cache.ts';

type CommonJs = (exports: object, require: NodeJS.Require, module: object, filename: string, folder: string) => void;

const cacheFor = (path: string, source: string): { readonly cachedData?: Buffer } => {
  const cache = readIfAny(cacheOf(path));
  return cache !== undefined && source.startsWith(cache.toString('latin1', 0, labelBytes))
    ? { cachedData: cache.subarray(labelBytes) }
    : {};
};

/** The text alone is a whole program: code that cannot be read is none. */
const readIfAny = (path: string): Buffer | undefined => {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
};

const [node = '', , program = '', ...words] = process.argv;
const path = resolve(program);
const source = readFileSync(path, 'utf8');
const script = new Script(asFunction(source), { filename: path, ...cacheFor(path, source) });
process.argv = [node, path, ...words];
const load = script.runInThisContext() as CommonJs;
load(module.exports, require, module, path, dirname(path));
