/** The programs of an installed package, kept running as systemd would keep them: `Restart=always`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
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

/** TPM2_Startup(CLEAR), TPM 2.0 Part 3 §9.3: what firmware sends before a kernel runs. */
const startup = Buffer.from('80010000000c000001440000', 'hex');

/** A terminal with a software TPM behind it, started, under the name of the kernel's device. */
export const tpmLine = async (commandPath: string, path: string): Promise<AsyncDisposable> => {
  const firmware = connect(commandPath);
  firmware.write(startup);
  await once(firmware, 'data');
  firmware.destroy();
  const socat = spawn('socat', [`PTY,link=${path},rawer`, `UNIX-CONNECT:${commandPath}`], { stdio: 'ignore' });
  for (let waitedMs = 0; !existsSync(path) && waitedMs < 10_000; waitedMs += 20) await setTimeout(20);
  return {
    [Symbol.asyncDispose]: async () => {
      if (socat.exitCode === null && socat.signalCode === null) {
        const gone = once(socat, 'exit');
        socat.kill('SIGKILL');
        await gone;
      }
      rmSync(path, { force: true });
    },
  };
};
