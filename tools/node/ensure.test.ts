import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'enigm-ensure-'));
  mkdirSync(join(folder, 'tools'));
  mkdirSync(join(folder, 'bin'));
  copyFileSync(join(import.meta.dirname, 'ensure.sh'), join(folder, 'tools/ensure.sh'));
  writeFileSync(join(folder, 'tools/package-lock.json'), '{}');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const brought = '#!/bin/sh\necho v24\n';
const { arch } = process;
const binary = () => join(folder, `tools/node_modules/node-linux-${arch}/bin/node`);
const pin = (text: string) =>
  writeFileSync(
    join(folder, 'tools/SHA256SUMS'),
    `${createHash('sha256').update(text).digest('hex')}  node-linux-${arch}\n${'0'.repeat(64)}  node-linux-other\n`,
  );
/** An npm that brings this file, or nothing, and counts how often it was asked. */
const npmBrings = (text: string | undefined) => {
  const installs =
    text === undefined
      ? ''
      : `mkdir -p "$(dirname "${binary()}")"; printf '%s' '${text}' >"${binary()}"; chmod 755 "${binary()}"`;
  const npm = join(folder, 'bin/npm');
  writeFileSync(npm, `#!/bin/sh\necho "$@" >>"${folder}/asked"\n[ "$1" = ci ] || exit 0\n${installs}\n`);
  chmodSync(npm, 0o755);
};
const ensure = () =>
  spawnSync('/bin/sh', [join(folder, 'tools/ensure.sh')], {
    encoding: 'utf8',
    env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` },
  });
const asked = () => readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n');

describe('the pinned Node.js (SR-34)', () => {
  test('is fetched once, without install scripts; then nothing is said', () => {
    pin(brought);
    npmBrings(brought);
    expect(ensure()).toMatchObject({ status: 0, stdout: '', stderr: 'fetching the pinned Node.js and npm …\n' });
    expect(ensure()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(asked()).toEqual([expect.stringMatching(/^ci .*--ignore-scripts$/)]);
  });

  test('is checked again when the lock changes', () => {
    pin(brought);
    npmBrings(brought);
    ensure();
    writeFileSync(join(folder, 'tools/package-lock.json'), '{"changed":true}');
    expect(ensure().status).toBe(0);
    expect(asked()).toHaveLength(2);
  });

  test('of another hash is refused, and nothing is kept', () => {
    pin('another');
    npmBrings(brought);
    const { status, stderr } = ensure();
    expect(status).toBe(1);
    expect(stderr).toContain('is not the one this project pins');
    expect(existsSync(join(folder, 'tools/node_modules'))).toBe(false);
  });

  test('without a hash for this machine is refused', () => {
    writeFileSync(join(folder, 'tools/SHA256SUMS'), '');
    npmBrings(brought);
    expect(ensure()).toMatchObject({ status: 1, stderr: expect.stringContaining('nothing was kept') });
  });

  test('that npm leaves out without a word is missed', () => {
    pin(brought);
    npmBrings(undefined);
    expect(ensure()).toMatchObject({ status: 1, stderr: expect.stringContaining(`did not install node-linux-${arch}`) });
  });
});
