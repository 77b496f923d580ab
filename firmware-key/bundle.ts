/** How the Key's script is made: the same for the build and for tests, so that both have the same bytes. */
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');

/** One ES2020 script without imports, as text. */
export const keyScript = async (): Promise<string> => {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['firmware-key/core/entry.ts'],
    write: false,
    bundle: true,
    platform: 'neutral',
    format: 'iife',
    target: 'es2020',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  const [script] = outputFiles;
  if (script === undefined) throw new Error('esbuild made nothing');
  return script.text;
};
