/**
 * protos/*.proto → protos/gen/: types.ts (the messages as readonly TypeScript types) and fields.ts (number, kind and limit
 * of every field, for the codec and the decode edge). Nothing of it is committed.
 *
 * usage: node tools/build/protos.ts
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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
