/**
 * Which simulator uses a directory: a record that it leaves there while it lives.
 *
 * A record whose process is gone, or whose number now belongs to another process, is that of a simulator that was
 * killed. The lock (lock.ts) decides who may start; the record only tells about it, so a stale one blocks nobody.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceKind } from './places.ts';

export interface Running {
  readonly command: string;
  readonly processId: number;
  /** With the number it names one process: when it started, in ticks since boot (proc_pid_stat(5), field 22). */
  readonly startedTicks: string;
  readonly kind: DeviceKind;
  /** Of the device. */
  readonly directory: string;
  readonly runDirectory: string;
  /** The device answers. */
  readonly isReady: boolean;
}

export type Found =
  | { readonly state: 'none' }
  /** `left`: it did not end by itself, so what it left may still be there. */
  | { readonly state: 'left'; readonly running: Running }
  | { readonly state: 'running'; readonly running: Running };

const recordOf = (directory: string) => join(directory, 'simulator.json');

/** Whole or not there, for its owner alone. */
export const announce = (directory: string, running: Running): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const temporary = `${recordOf(directory)}.${running.processId}`;
  writeFileSync(temporary, JSON.stringify(running), { mode: 0o600 });
  renameSync(temporary, recordOf(directory));
};

export const withdraw = (directory: string): void => rmSync(recordOf(directory), { force: true });

export const findRunning = (directory: string): Found => {
  const running = readRecord(directory);
  if (running === undefined) return { state: 'none' };
  return { state: startedTicksOf(running.processId) === running.startedTicks ? 'running' : 'left', running };
};

const readRecord = (directory: string): Running | undefined => {
  try {
    const record = JSON.parse(readFileSync(recordOf(directory), 'utf8')) as Partial<Running> | null;
    const { processId, startedTicks, runDirectory } = record ?? {};
    const isWhole = Number.isSafeInteger(processId) && typeof startedTicks === 'string' && typeof runDirectory === 'string';
    return isWhole ? (record as Running) : undefined;
  } catch {
    return undefined;
  }
};

/** @returns undefined where there is no such process, or only its exit status is left */
export const startedTicksOf = (processId: number): string | undefined => {
  try {
    // The name in parentheses may itself hold spaces and parentheses; fields are counted behind the last one.
    const fields = readFileSync(`/proc/${processId}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
};
