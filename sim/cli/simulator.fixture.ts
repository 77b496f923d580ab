/** Runs the built simulator as a person does, and looks for what it left behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

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
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
};

/** `make run` without make: what the tests of make itself run elsewhere. */
export const startDay = (home: string, ...words: readonly string[]): RunningDay => {
  if (!existsSync(simulator)) throw new Error('the simulator is not built: run make setup');
  const child = spawn(process.execPath, ['--no-warnings', simulator, 'day', '--once', '--json', '--directory', home, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, as a terminal makes one.
    detached: true,
  });
  let out = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const lines = () =>
    out
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as StepLine & { readonly summary?: Readonly<Record<string, unknown>> });
  const ended = new Promise<DayRun>((resolve) =>
    child.once('close', (code) => {
      const told = lines();
      resolve({
        code,
        said,
        steps: told.filter(({ step }) => step !== undefined),
        summary: told.find(({ summary }) => summary !== undefined)?.summary ?? {},
      });
    }),
  );
  return {
    child,
    ended,
    told: async (steps) => {
      while (lines().length < steps && child.exitCode === null) await setTimeout(10);
    },
  };
};

export const liveDay = (home: string, ...words: readonly string[]): Promise<DayRun> => startDay(home, ...words).ended;

/** Processes that still run with this directory in their command line. */
export const processesOf = (home: string): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((line) => line.includes(home));

/** Socket directories of this home's devices. */
export const socketsOf = (runDirectories: readonly string[]): readonly string[] =>
  runDirectories.filter((directory) => existsSync(directory));
