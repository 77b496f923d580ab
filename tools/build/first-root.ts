/** sim/image/guest/first-root.c → build/native/first-root, with its libraries in it: the first root of a machine has none. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const output = join(root, 'build/native');
const flags = ['-Os', '-static', '-s', '-Wall', '-Wextra', '-Wl,--build-id=none'];

mkdirSync(output, { recursive: true });
// Renamed when whole: two builds at once do no harm.
const fresh = join(output, `first-root.${process.pid}`);
const { status } = spawnSync('gcc', [...flags, '-o', fresh, join(root, 'sim/image/guest/first-root.c')], { stdio: 'inherit' });
if (status === 0) renameSync(fresh, join(output, 'first-root'));
process.exitCode = status ?? 1;
