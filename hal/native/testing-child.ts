/** For tests: code over the addon in a Node process of its own, bundled as the programs are. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import { addonPaths, temporaryDirectory } from './testing.ts';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * @param source TypeScript of an ES module in this folder; `addon` and `addonRelease` are defined as paths
 * @param flags of node; `BUNDLE` in one is replaced by the directory of the bundle
 */
export const runChild = async (source: string, flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> => {
  using directory = temporaryDirectory();
  const bundle = join(directory.path, 'child.mjs');
  await bundleOf(source, bundle);
  const options = flags.map((flag) => flag.replace('BUNDLE', directory.path));
  const child = spawn(process.execPath, [...options, bundle], { env: { ...process.env, ...env } });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
  return await new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, ...output })));
};

export const bundleOf = async (source: string, outfile: string): Promise<void> => {
  await build({
    stdin: { contents: source, resolveDir: import.meta.dirname, loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    define: { addon: JSON.stringify(addonPaths.sim), addonRelease: JSON.stringify(addonPaths.release) },
    logLevel: 'warning',
  });
};
