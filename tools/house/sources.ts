/** The sources of the project, with what each imports: for the rules of the house. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

export interface Source {
  /** Path from the root, with slashes. */
  readonly path: string;
  readonly room: string;
  readonly text: string;
  /** Paths of the project's files that it imports, from the root; packages and built-ins by their name. */
  readonly imports: readonly string[];
}

const root = join(import.meta.dirname, '../..');
const rooms = ['protos', 'hal', 'attestation', 'ota-client', 'firmware-key', 'agents', 'sim', 'bench', 'tools'];
const skipped = new Set(['node_modules', 'gen']);

export const projectSources = (): readonly Source[] =>
  rooms.flatMap((room) => filesBelow(join(root, room)).map((file) => sourceOf(file)));

const filesBelow = (directory: string): readonly string[] => {
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const path = join(directory, name);
    if (skipped.has(name)) return [];
    if (statSync(path).isDirectory()) return filesBelow(path);
    return name.endsWith('.ts') && !name.endsWith('.d.ts') ? [path] : [];
  });
};

const sourceOf = (file: string): Source => {
  const path = relative(root, file).split(sep).join('/');
  const text = readFileSync(file, 'utf8');
  return { path, room: path.split('/')[0] ?? '', text, imports: importsOf(path, text) };
};

/** Every `from '…'` and `import('…')` that begins a statement or stands in code; our sources have no other form. */
export const importsOf = (path: string, text: string): readonly string[] =>
  [...text.matchAll(/(?:^|[\s(])(?:from|import)\s*\(?\s*'([^'\n]+)'/gm)].map(([, specifier = '']) => resolve(path, specifier));

const resolve = (path: string, specifier: string): string => {
  if (specifier.startsWith('#')) return `${specifier.slice(1)}.ts`;
  return specifier.startsWith('.') ? join(dirname(path), specifier).split(sep).join('/') : specifier;
};
