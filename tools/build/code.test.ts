/** The code of programs, as Node takes it. What was built is there: `make` builds it before any test runs. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asFunction, cacheOf, labelBytes } from '#agents/programs/code-cache';
import { engineFlags } from '#agents/supervisor/launch';
import { root } from './bundles.ts';
import { codeMaker } from './code.ts';

const device = join(root, 'dist/device');
const start = join(device, 'start.cjs');
/** Of one length each. */
const texts = {
  says: 'process.stdout.write("text " + process.argv.slice(1));',
  other: 'process.stdout.write("code " + process.argv.slice(1));',
};

let folder: string;
let makeCode: Awaited<ReturnType<typeof codeMaker>>;
const put = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const run = (words: readonly string[]) => spawnSync(process.execPath, ['--no-warnings', ...words], { encoding: 'utf8' });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'enigm-code-'));
  makeCode = await codeMaker();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the code of a program', () => {
  const programs = Object.keys(engineFlags).filter((name) => name !== 'doors') as (keyof typeof engineFlags)[];

  test.each(programs)('of %s is taken by the Node that it is started with', (name) => {
    const path = join(device, `${name}.cjs`);
    const asked = `const { readFileSync } = require('fs');
      const cachedData = readFileSync(${JSON.stringify(cacheOf(path))}).subarray(${labelBytes});
      const source = (${asFunction.toString()})(readFileSync(${JSON.stringify(path)}, 'utf8'));
      console.log(new (require('vm').Script)(source, { cachedData }).cachedDataRejected);`;
    expect(run([...engineFlags[name], '-e', asked]).stdout).toBe('false\n');
    expect(run(['--no-opt', ...engineFlags[name], '-e', asked]).stdout).toBe('true\n');
  });

  test('is the same wherever it is made', () => {
    const made = ['here-', 'somewhere-'].map((place) => {
      const path = join(mkdtempSync(join(folder, place)), 'one.cjs');
      writeFileSync(path, 'exports.answer = () => [41, 42].map(String);');
      makeCode(path, []);
      return readFileSync(cacheOf(path));
    });
    expect(made[0]).toEqual(made[1]);
  });

  test('runs in place of the text that it was made of, and of no other text', () => {
    const [one, other] = [put('says.cjs', texts.says), put('other.cjs', texts.other)];
    for (const path of [one, other]) makeCode(path, []);
    const [code, label] = [readFileSync(cacheOf(other)), readFileSync(one, 'utf8').slice(0, labelBytes)];
    // V8 alone would take it: the length is the same.
    copyFileSync(cacheOf(other), cacheOf(one));
    expect(run([start, one, 'a', 'b']).stdout).toBe(`text ${one},a,b`);
    writeFileSync(cacheOf(one), Buffer.concat([Buffer.from(label), code.subarray(labelBytes)]));
    expect(run([start, one, 'a', 'b']).stdout).toBe(`code ${one},a,b`);
  });

  test.each([
    ['is not there', () => undefined],
    ['is empty', () => ''],
    ['is damaged', (code: Buffer) => Buffer.concat([code.subarray(0, labelBytes), Buffer.alloc(1000, 7)])],
    ['was cut short', (code: Buffer) => code.subarray(0, labelBytes + 40)],
    ['cannot be read', () => 'a folder'],
  ])('is left aside where it %s', (_, damaged) => {
    const path = put('left.cjs', texts.says);
    makeCode(path, []);
    const left = damaged(readFileSync(cacheOf(path)));
    rmSync(cacheOf(path));
    if (left === 'a folder') mkdirSync(cacheOf(path));
    else if (left !== undefined) writeFileSync(cacheOf(path), left);
    expect(run([start, path]).stdout).toBe(`text ${path}`);
  });

  test('is not made of what is no program', () => {
    expect(() => makeCode(put('broken.cjs', 'const const'), [])).toThrow(/broken.cjs/);
  });
});
