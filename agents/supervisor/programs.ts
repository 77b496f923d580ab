/**
 * Keeps the programs of a device running: starts them, starts again what ended, with growing delay, and ends all of
 * them in order. What starts them is their parent: when it is gone they see the end of their standard input.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';

export interface ProgramSpec {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  /** All of it: nothing of ours steers a program (SR-04). */
  readonly environment: Readonly<Record<string, string>>;
  /** A file that another program makes: this one is started once it is there, or after a while without it. */
  readonly after?: string;
  /** Where its standard error goes. */
  readonly output: Writable;
}

export interface ProgramStatus {
  readonly name: string;
  readonly processId: number | undefined;
  readonly restarts: number;
}

export interface Programs {
  status(): readonly ProgramStatus[];
  /** Sends a signal to one program; false where it does not run. */
  signal(name: string, signal: NodeJS.Signals): boolean;
  /** Asks all to end, in reverse order of their start, and kills what does not within its time. */
  stop(): Promise<void>;
}

export interface ProgramsOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Exit codes that are not a failure but a request to whoever runs the machine. */
  readonly onRequest: (name: string, code: number) => void;
  readonly requestCodes: readonly number[];
  /** The exit code by which a program asks for a new start of itself: no failure. */
  readonly restartCode: number;
}

const firstDelayMs = 50;
const maxDelayMs = 5_000;
/** A program that ran this long starts again without delay. */
const settledMs = 10_000;
/** One that asks for another start has not failed, unless it does nothing else. */
const askedMs = 1_000;
const endWithinMs = 4_000;
const lookMs = 50;
/** Whoever waits for another program does not wait for one that never comes. */
const afterWithinMs = 10_000;

export const startPrograms = (specs: readonly ProgramSpec[], options: ProgramsOptions): Programs => {
  const { clock, log } = options;
  const stopping = new AbortController();
  const children = new Map<string, ChildProcess>();
  const restarts = new Map<string, number>();

  const keepRunning = async (spec: ProgramSpec): Promise<void> => {
    let delayMs = firstDelayMs;
    while (!stopping.signal.aborted) {
      await mayStart(spec);
      if (stopping.signal.aborted) return;
      const startedMs = clock.bootMs();
      const child = spawn(spec.command, spec.arguments, { stdio: ['pipe', 'ignore', 'pipe'], env: spec.environment });
      children.set(spec.name, child);
      child.stdin?.on('error', () => undefined);
      child.stderr?.pipe(spec.output, { end: false });
      const code = await ended(child);
      children.delete(spec.name);
      if (stopping.signal.aborted) return;
      if (code !== null && options.requestCodes.includes(code)) {
        options.onRequest(spec.name, code);
        return;
      }
      restarts.set(spec.name, (restarts.get(spec.name) ?? 0) + 1);
      log.warn('program.ended', { program: spec.name, code: code ?? -1 });
      const enoughMs = code === options.restartCode ? askedMs : settledMs;
      delayMs = clock.bootMs() - startedMs > enoughMs ? firstDelayMs : Math.min(delayMs * 2, maxDelayMs);
      await clock.sleep(delayMs, stopping.signal);
    }
  };
  const mayStart = async ({ after }: ProgramSpec): Promise<void> => {
    const fromMs = clock.bootMs();
    while (after !== undefined && !existsSync(after) && clock.bootMs() - fromMs < afterWithinMs && !stopping.signal.aborted)
      await clock.sleep(lookMs, stopping.signal);
  };
  const running = specs.map(keepRunning);

  const end = async (spec: ProgramSpec): Promise<void> => {
    const child = children.get(spec.name);
    if (child === undefined) return;
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const late = new AbortController();
    const killed = clock.sleep(endWithinMs, late.signal).then(() => {
      if (!late.signal.aborted) child.kill('SIGKILL');
    });
    await ended(child);
    late.abort();
    await killed;
  };

  return {
    status: () => specs.map(({ name }) => ({ name, processId: children.get(name)?.pid, restarts: restarts.get(name) ?? 0 })),
    signal: (name, signal) => children.get(name)?.kill(signal) ?? false,
    async stop() {
      stopping.abort();
      for (const spec of specs.toReversed()) await end(spec);
      await Promise.all(running);
    },
  };
};

/** @returns the exit code; null for a signal or a program that could not be started */
const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode);
    child.once('exit', (code) => resolve(code));
    child.once('error', () => resolve(null));
  });
