/** The programs of an installed package, kept running as systemd would keep them: `Restart=always`. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { ProgramName } from '#agents/supervisor/launch';
import type { DebianRoot } from './debian.fixture.ts';

export interface RunningPrograms extends AsyncDisposable {
  running(): readonly { readonly name: ProgramName; readonly processId: number }[];
  /** What all of them wrote. */
  log(): string;
  /** Asks all to end. @returns the exit codes, by program */
  stop(): Promise<Readonly<Partial<Record<ProgramName, number | null>>>>;
}

/** `RestartSec` of the units. */
const restartMs = 1_000;

export const startAll = (debian: DebianRoot, names: readonly ProgramName[], logPath: string): RunningPrograms => {
  const log = openSync(logPath, 'a');
  const children = new Map<ProgramName, ChildProcess>();
  let isEnding = false;
  const keep = async (name: ProgramName): Promise<void> => {
    while (!isEnding) {
      const child = debian.start(`enigm-${name}.service`, log);
      children.set(name, child);
      await once(child, 'exit');
      if (!isEnding) await setTimeout(restartMs);
    }
  };
  const kept = names.map(keep);
  const stop = async () => {
    isEnding = true;
    for (const child of children.values()) child.kill('SIGTERM');
    await Promise.all(kept);
    return Object.fromEntries([...children].map(([name, { exitCode }]) => [name, exitCode]));
  };
  return {
    running: () =>
      [...children].flatMap(([name, { pid, exitCode, signalCode }]) =>
        pid === undefined || exitCode !== null || signalCode !== null ? [] : [{ name, processId: pid }],
      ),
    log: () => readFileSync(logPath, 'utf8'),
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
};
