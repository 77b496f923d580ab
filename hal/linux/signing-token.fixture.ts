/** For tests: a PKCS #11 token in software (SoftHSM), with a PIN, in a folder of its own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
export const tokenProgram = join(root, 'build/native/enigm-token');
export const softToken = { module: '/usr/lib/softhsm/libsofthsm2.so', token: 'office', pin: '4711' } as const;

/** @returns why nothing of this can run here; undefined where it can */
export const missingForTokens = (): string | undefined => {
  if (!existsSync(softToken.module)) return 'softhsm2 is not installed';
  const built = spawnSync(process.execPath, ['--no-warnings', join(root, 'tools/build/token.ts')], { encoding: 'utf8' });
  return built.status === 0 ? undefined : built.stderr.trim();
};

/** The module reads its folder from the environment of this process. */
export const openSoftToken = (): { readonly directory: string; remove(): void } => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-token-'));
  mkdirSync(join(directory, 'tokens'));
  writeFileSync(join(directory, 'softhsm2.conf'), `directories.tokendir = ${join(directory, 'tokens')}\n`);
  const before = process.env['SOFTHSM2_CONF'];
  process.env['SOFTHSM2_CONF'] = join(directory, 'softhsm2.conf');
  const { token, pin } = softToken;
  execFileSync('softhsm2-util', ['--init-token', '--free', '--label', token, '--pin', pin, '--so-pin', '0815'], {
    stdio: 'ignore',
  });
  return {
    directory,
    remove() {
      if (before === undefined) delete process.env['SOFTHSM2_CONF'];
      else process.env['SOFTHSM2_CONF'] = before;
      rmSync(directory, { recursive: true });
    },
  };
};
