/** docs/tour.md, walked from a fresh clone: what a newcomer is told to type is typed, and prints what they are told. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { mark, nothingIsLeft, root } from './simulator.fixture.ts';
import { blocksOf, walker } from './tour.fixture.ts';

const folders = ['node_modules', 'tools/node/node_modules'];
const entriesOf = (folder: string) => readdirSync(join(root, folder)).filter((name) => name !== '.installed');
/** This folder may belong to somebody else than whoever runs the tests. */
const gitSafety = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' };
const filesOf = (folder: string, ...kinds: readonly string[]) =>
  execFileSync('git', ['ls-files', '-z', ...kinds], { cwd: folder, encoding: 'utf8', env: { ...process.env, ...gitSafety } })
    .split('\0')
    .filter((name) => name !== '');

/** What is being worked on here, also where it is not committed; and the packages of here, each by a link. */
const furnish = (clone: string): void => {
  for (const name of filesOf(clone)) rmSync(join(clone, name));
  for (const name of filesOf(root, '--cached', '--others', '--exclude-standard').filter((name) => existsSync(join(root, name)))) {
    mkdirSync(dirname(join(clone, name)), { recursive: true });
    copyFileSync(join(root, name), join(clone, name));
  }
  for (const folder of folders) {
    mkdirSync(join(clone, folder));
    for (const name of entriesOf(folder)) symlinkSync(join(root, folder, name), join(clone, folder, name));
  }
  // Newer than the locks: make takes it that these packages are what they ask for, as they are here.
  writeFileSync(join(clone, 'node_modules/.installed'), '');
};

test.skipIf(!existsSync(join(root, '.git')))(
  'the tour is true, command by command; for git clone it clones this folder, for what make downloads it links what is here',
  { timeout: 900_000 },
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'enigm-tour-'));
    const clone = join(home, 'enigm-device');
    const state = join(clone, '.enigm');
    const [fetching, ...others] = blocksOf(readFileSync(join(root, 'docs/tour.md'), 'utf8'));
    const places = { HOME: home, TMPDIR: tmpdir(), REPOSITORY: root };
    const reader = { PATH: process.env['PATH'], LANG: 'C.UTF-8', ...places, ...gitSafety, [mark]: state };
    try {
      {
        await using shell = walker(home, reader);
        expect(await shell.walk(fetching ?? { commands: [], shown: undefined })).toBeUndefined();
        furnish(clone);
        for (const block of others) expect(await shell.walk(block)).toBeUndefined();
      }
      expect(others.length).toBeGreaterThan(15);
      nothingIsLeft(state);
    } finally {
      if (existsSync(join(state, 'simulator.json'))) spawnSync('./enigm-sim', ['down'], { cwd: clone, stdio: 'ignore' });
      rmSync(home, { recursive: true, force: true });
    }
  },
);
