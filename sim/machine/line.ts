/**
 * A serial line: a pseudo-terminal that a program of the device opens with `serialport`, and the far end of its cable.
 *
 * socat holds the terminal. When its last opener closes it, socat ends, and another one takes its place under the same
 * name, as an adapter that is plugged in again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { deny, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';

export interface Line {
  /** For `serialport`. */
  readonly path: string;
  write(bytes: Uint8Array): void;
  onBytes(listen: (bytes: Uint8Array) => void): void;
  close(): Promise<void>;
}

export type OpenLine = (path: string, clock: Clock) => Promise<Result<Line>>;

const socat = '/usr/bin/socat';
const isThereWithinMs = 2_000;
const lookMs = 10;

/** @returns the line, or `unavailable/not-supported` where this machine has no socat or lets nobody make a terminal */
export const openLine: OpenLine = async (path, clock) => {
  if (!existsSync(socat)) return deny('unavailable', 'not-supported', 'socat is not installed');
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const ending = new AbortController();
  let listen: (bytes: Uint8Array) => void = () => undefined;
  let holder: ChildProcess | undefined;
  let gone: Promise<void> = Promise.resolve();
  const hold = (): void => {
    rmSync(path, { force: true });
    // Its own words are separated by commas and colons, which a path may have: so it is named within its folder.
    const child = spawn(socat, ['-', `pty,raw,echo=0,link=${basename(path)}`], {
      cwd: dirname(path),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.on('error', () => undefined);
    child.stdout.on('data', (bytes: Buffer) => listen(new Uint8Array(bytes)));
    holder = child;
    gone = new Promise((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => {
        resolve();
        if (!ending.signal.aborted) void clock.sleep(lookMs, ending.signal).then(() => !ending.signal.aborted && hold());
      });
    });
  };
  const close = async (): Promise<void> => {
    ending.abort();
    holder?.kill('SIGKILL');
    await gone;
    rmSync(path, { force: true });
  };
  hold();
  for (let waitedMs = 0; waitedMs < isThereWithinMs; waitedMs += lookMs) {
    if (existsSync(path))
      return ok({
        path,
        write: (bytes) => void holder?.stdin?.write(bytes),
        onBytes: (next) => {
          listen = next;
        },
        close,
      });
    await clock.sleep(lookMs, ending.signal);
  }
  await close();
  return deny('unavailable', 'not-supported', 'this machine lets nobody make a pseudo-terminal');
};
