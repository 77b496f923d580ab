/**
 * The Key's firmware as one ES2020 script, and the engine that runs it in a sandbox: dist/key/.
 *
 * usage: node tools/build/key.ts
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { keyScript } from '#firmware-key/bundle';

const folder = join(import.meta.dirname, '../../dist/key');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'key.js'), await keyScript());
cpSync(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm'), join(folder, 'quickjs.wasm'));
