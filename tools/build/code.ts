/** The code of programs beside them: see `agents/programs/code-cache.ts`. The same program gives the same bytes. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './bundles.ts';

/** V8 hashes with a random seed otherwise, and keeps the hashes; it does not count as a flag of a cache. */
const sameEachTime = '--random-seed=1';

/** @returns what makes the code of a program, where Node's flags for V8 are given. Throws where Node cannot make it */
export const codeMaker = async (): Promise<(path: string, flags: readonly string[]) => void> => {
  const { outputFiles } = await build({
    ...{ entryPoints: [join(root, 'tools/build/compile.ts')], absWorkingDir: root, logLevel: 'warning' },
    ...{ bundle: true, platform: 'node', format: 'cjs', target: 'node24', write: false },
  });
  const input = outputFiles[0]?.contents ?? '';
  return (path, flags) => {
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, `// ${createHash('sha256').update(text).digest('hex')}\n${text}`);
    const { status, stderr } = spawnSync(process.execPath, ['--no-warnings', sameEachTime, ...flags, '-', path], { input });
    if (status !== 0) throw new Error(`no code of ${path}: ${stderr}`);
  };
};
