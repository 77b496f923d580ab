/**
 * protos/*.proto → protos/gen/: messages.js (protobufjs, static codec), types.ts (the messages as readonly TypeScript
 * types) and fields.ts (kind and limit of every field, for the decode edge). Nothing of it is committed.
 *
 * usage: node tools/build/protos.ts
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { emitFields, emitTypes, readSchema } from './schema.ts';

const folder = join(import.meta.dirname, '../../protos');
const generated = join(folder, 'gen');
const banner = '// Made by tools/build/protos.ts from protos/*.proto.\n';

const sources = readdirSync(folder)
  .filter((name) => name.endsWith('.proto'))
  .sort()
  .map((name) => join(folder, name));
const schema = readSchema(sources.map((path) => ({ path, text: readFileSync(path, 'utf8') })));
mkdirSync(generated, { recursive: true });
writeFileSync(join(generated, 'types.ts'), banner + emitTypes(schema));
writeFileSync(join(generated, 'fields.ts'), banner + emitFields(schema));
writeFileSync(
  join(generated, 'messages.d.ts'),
  `${banner}interface Codec {\n  encode(value: object, writer?: object): { finish(isShared?: boolean): Uint8Array };\n  decode(bytes: Uint8Array): Record<string, unknown>;\n}\nexport declare const enigm: Record<string, Codec>;\n`,
);

interface Pbjs {
  main(options: readonly string[], done: (error: Error | null) => void): void;
}
const pbjs = createRequire(import.meta.url)('protobufjs-cli/pbjs') as Pbjs;
const options = [
  '-t',
  'static-module',
  '-w',
  'esm',
  '--no-comments',
  '--no-create',
  '--no-convert',
  '--no-verify',
  '--no-delimited',
  '--no-typeurl',
  '--no-service',
];
pbjs.main([...options, '-o', join(generated, 'messages.js'), ...sources], (error) => {
  if (error !== null) throw error;
});
