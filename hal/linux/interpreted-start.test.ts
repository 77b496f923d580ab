import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

/** As JavaScript: Node without a compiler reads no TypeScript. */
const source = stripTypeScriptTypes(readFileSync(join(import.meta.dirname, 'interpreted-start.ts'), 'utf8'));
/** Which of V8's tiers runs a function that was called often, before and after. */
const asked = `${source}
  import { cachedDataVersionTag } from 'node:v8';
  setFlagsFromString('--allow-natives-syntax');
  const { work, isInterpreted } = new Function('return { work: (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i; return sum; }, isInterpreted: (f) => %ActiveTierIsIgnition(f) }')();
  const often = () => { for (let i = 0; i < 3000; i++) work(3000); };
  const before = cachedDataVersionTag();
  const end = interpretedStart();
  often();
  const during = isInterpreted(work);
  end();
  const isAsBefore = cachedDataVersionTag() === before;
  often();
  console.log(JSON.stringify({ during, after: isInterpreted(work), isAsBefore }));
`;
const answer = (...flags: readonly string[]) => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', ...flags, '--input-type=module', '-e', asked], {
    encoding: 'utf8',
  });
  return stdout === '' ? stderr : (JSON.parse(stdout) as unknown);
};

describe('a start', () => {
  test('is interpreted, and what comes after it compiled, with the flags of before', () => {
    expect(answer()).toEqual({ during: true, after: false, isAsBefore: true });
  });

  test('of a program without compilers gives it none (SR-31)', () => {
    expect(answer('--jitless')).toEqual({ during: true, after: true, isAsBefore: true });
  });
});
