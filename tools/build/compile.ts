/**
 * Makes the code of a program: all of its functions, as V8 compiles them under the flags that the program is started with.
 * Bundled and given to a Node on its standard input (`code.ts`): a V8 that makes no code cannot read TypeScript.
 *
 * usage: node FLAGS - PROGRAM
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { asFunction, cacheOf, labelBytes } from '#agents/programs/code-cache';

const path = process.argv[2] ?? '';
const source = readFileSync(path, 'utf8');
// A function that waits for its first call is in no cache. The flags of a cache have to be those of its use again.
setFlagsFromString('--no-lazy');
// The cache has the name in it: the same in every folder.
const script = new Script(asFunction(source), { filename: basename(path) });
setFlagsFromString('--lazy');
writeFileSync(cacheOf(path), Buffer.concat([Buffer.from(source.slice(0, labelBytes)), script.createCachedData()]));
