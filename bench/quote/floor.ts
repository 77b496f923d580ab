/** The C++ floor program: compiled on demand, asked over standard input and output. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '../..');
const addon = join(root, 'hal/native/addon');
const program = join(root, 'build/bench/quote-floor');

export interface Floor extends AsyncDisposable {
  /** @returns CPU microseconds of this many quotes, one after the other */
  quotes(count: number): Promise<number>;
}

export const startFloor = (stateDirectory: string): Floor => {
  compile();
  const child = spawn(program, [stateDirectory], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    quotes: async (count) => {
      child.stdin.write(`${count}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error('the floor program ended');
      return Number(value);
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await ended;
    },
  };
};

const compile = (): void => {
  const sources = [join(import.meta.dirname, 'floor.cc'), ...['tcti.cc', 'tcti_embedded.cc'].map((file) => join(addon, file))];
  const changedMs = Math.max(...sources.map((path) => statSync(path).mtimeMs));
  if ((statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0) > changedMs) return;
  mkdirSync(join(root, 'build/bench'), { recursive: true });
  const options = ['-O2', '-Wall', '-Wextra', '-Werror', '-std=c++20', '-I', addon, ...sources, '-ltss2-esys', '-o', program];
  if (spawnSync('g++', options, { stdio: 'inherit' }).status !== 0) throw new Error('the floor program does not compile');
};
