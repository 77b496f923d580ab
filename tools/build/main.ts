/**
 * Everything that is built: messages, TPM addon, the program of a first root, programs, the Key's script.
 *
 * usage: node tools/build/main.ts [--without-addon]
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const withoutAddon = process.argv.includes('--without-addon');
const parts = [
  ['protos.ts'],
  ...(withoutAddon ? [] : [['addon.ts', '--all'], ['first-root.ts']]),
  ['programs.ts'],
  ['key.ts'],
] as const;

for (const [script, ...words] of parts) {
  const { status } = spawnSync(process.execPath, ['--no-warnings', join(import.meta.dirname, script ?? ''), ...words], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    process.stderr.write(`tools/build/${script} failed\n`);
    process.exit(status ?? 1);
  }
}
