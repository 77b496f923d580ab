/**
 * hal/native/token/token.cc → build/native/enigm-token: signing with keys in PKCS #11 tokens, for custodians of releases.
 *
 * One g++ line. Exit code 3: something is not installed, and one sentence on stderr says what to do; callers go on
 * without, since a device needs none of it.
 *
 * usage: node tools/build/token.ts
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const source = join(root, 'hal/native/token/token.cc');
const target = join(root, 'build/native/enigm-token');
const flags = [
  ...['-O2', '-Wall', '-Wextra', '-Werror', '-std=c++20', '-fPIE', '-pie'],
  ...['-D_FORTIFY_SOURCE=2', '-fstack-protector-strong', '-Wl,-z,relro,-z,now', '-Wl,-z,noexecstack'],
];

const isFresh = (): boolean => existsSync(target) && statSync(target).mtimeMs > statSync(source).mtimeMs;

const build = (): number => {
  if (isFresh()) return 0;
  const query = spawnSync('pkg-config', ['--cflags', 'p11-kit-1'], { encoding: 'utf8' });
  if (query.status !== 0) {
    process.stderr.write('enigm-token cannot be built: apt-get install pkg-config libp11-kit-dev\n');
    return 3;
  }
  mkdirSync(join(root, 'build/native'), { recursive: true });
  const fresh = `${target}.${process.pid}`;
  const words = [...flags, ...query.stdout.trim().split(/\s+/), source, '-o', fresh, '-ldl'];
  const { status } = spawnSync('g++', words, { stdio: 'inherit' });
  if (status === 0) renameSync(fresh, target);
  return status ?? 1;
};

process.exitCode = build();
