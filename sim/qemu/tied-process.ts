/** Processes that end with whoever started them: the kernel sees to it, however that happens (prctl(2), PR_SET_PDEATHSIG). */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Clock } from '#hal/ports/clock';

export interface TiedProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  isRunning(): boolean;
  /** The last of what it complained of. */
  said(): string;
}

/** What stands before such a program. */
export const tied = ['setpriv', '--pdeathsig', 'KILL'] as const;

const maxSaid = 2_000;
const lookMs = 20;
const never = new AbortController().signal;
/** USER_HZ, in which the kernel counts. */
const ticksPerSecond = 100;
/** __SO_ACCEPTCON. */
const acceptsConnections = 0x10000;

export const startTied = (program: string, words: readonly string[]): TiedProcess => {
  const [command = '', ...rest] = [...tied, program, ...words];
  const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-maxSaid);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));
  return {
    child,
    ended,
    isRunning: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
    said: () => said.trim(),
  };
};

/** Of the one child of a process, user and system: fields utime and stime of /proc/PID/stat (proc(5)). */
export const cpuSecondsOfChild = ({ pid = 0 }: ChildProcess): number => {
  try {
    const only = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
    const fields = readFileSync(`/proc/${only}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return 0;
  }
};

/** Waits for a socket on which a process is to listen: the file alone is there before it does. @returns whether it came */
export const listens = async (path: string, clock: Clock, withinMs: number): Promise<boolean> => {
  for (let waitedMs = 0; waitedMs < withinMs; waitedMs += lookMs) {
    if (isListening(path)) return true;
    await clock.sleep(lookMs, never);
  }
  return false;
};

/** As the kernel counts them: number, references, protocol, flags, type, state, inode, path (proc(5), /proc/net/unix). */
const isListening = (path: string): boolean =>
  readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .some((line) => line.endsWith(` ${path}`) && (Number.parseInt(line.split(' ')[3] ?? '', 16) & acceptsConnections) !== 0);
