/** Runs the built simulator as a person does, and looks for what it left behind. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Said, saidBy } from '#sim/levels/command';
import { runDirectoriesOf } from './places.ts';

export const root = join(import.meta.dirname, '../..');
const simulator = join(root, 'dist/sim/enigm-sim.cjs');
export const programs = join(root, 'dist/device');

export interface StepLine {
  readonly step: string;
  readonly outcome: string;
  readonly evidence: Readonly<Record<string, string | number | boolean>>;
  readonly ms: number;
  readonly fault?: { readonly category: string; readonly reason: string };
}

export interface DayRun {
  readonly code: number | null;
  readonly steps: readonly StepLine[];
  readonly summary: Readonly<Record<string, unknown>>;
  readonly said: string;
}

export interface RunningDay {
  readonly child: ChildProcess;
  /** Resolves when so many steps have been told. */
  told(steps: number): Promise<void>;
  readonly ended: Promise<DayRun>;
}

export const temporaryHome = (): Disposable & { readonly path: string } => {
  const path = mkdtempSync(join(tmpdir(), 'enigm-day-'));
  return {
    path,
    [Symbol.dispose]: () => {
      // A test that failed may have left a device in the background.
      if (existsSync(join(path, 'simulator.json')))
        spawnSync(process.execPath, ['--no-warnings', simulator, 'down', '--directory', path], { stdio: 'ignore' });
      rmSync(path, { recursive: true, force: true });
    },
  };
};

/** `make run` without make: what the tests of make itself run elsewhere. */
export const startDay = (home: string, ...words: readonly string[]): RunningDay => {
  const day = startSimulator('day', '--once', '--json', '--directory', home, ...words);
  let out = '';
  day.child.stdout?.on('data', (text: string) => {
    out += text;
  });
  return {
    child: day.child,
    ended: day.ended.then(({ code, said }) => {
      const told = linesOf(out);
      return {
        code,
        said,
        steps: told.filter(({ step }) => step !== undefined),
        summary: told.find(({ summary }) => summary !== undefined)?.summary ?? {},
      };
    }),
    told: async (steps) => {
      while (linesOf(out).length < steps && day.child.exitCode === null) await setTimeout(10);
    },
  };
};

type Line = StepLine & { readonly summary?: Readonly<Record<string, unknown>> };
const linesOf = (out: string): readonly Line[] =>
  out
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Line);

export const liveDay = (home: string, ...words: readonly string[]): Promise<DayRun> => startDay(home, ...words).ended;

/** What every process of a simulator inherits; its command line it may rewrite, as Node does for a title. */
export const mark = 'ENIGM_TEST_HOME';

/** Processes that still run for this directory: their id and name. */
export const processesOf = (home: string): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => readText(`/proc/${name}/environ`).split('\0').includes(`${mark}=${home}`))
    .map((name) => `${name} ${readText(`/proc/${name}/comm`).trim()}`);

/** Empty for a process that is gone. */
const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** Socket directories of this home's devices that are there, whatever their TPM. */
export const socketsOf = (home: string): readonly string[] =>
  (['embedded', 'swtpm', 'qemu'] as const)
    .flatMap((kind) => runDirectoriesOf(home, kind))
    .filter((directory) => existsSync(directory));

export const nothingIsLeft = (home: string): void => {
  expect(processesOf(home)).toEqual([]);
  expect(socketsOf(home)).toEqual([]);
};

export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<Said>;
}

/** One command of the simulator, in a process group of its own, as a terminal makes one. */
export const startSimulator = (...words: readonly string[]): RunningCommand => {
  if (!existsSync(simulator)) throw new Error('the simulator is not built: run make setup');
  const child = spawn(process.execPath, ['--no-warnings', simulator, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, [mark]: words[words.indexOf('--directory') + 1] ?? '' },
  });
  return { child, ended: saidBy(child) };
};

export const simulate = (...words: readonly string[]): Promise<Said> => startSimulator(...words).ended;
