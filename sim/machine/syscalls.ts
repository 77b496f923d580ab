/**
 * The recorder of system calls of a simulated device: strace around one program, and a reader of what it wrote that
 * keeps the numbers of calls and nothing else. On no real device: there the kernel itself must give the windows.
 *
 * strace is told to decode no argument (`raw=all`) and to print no string, so that already its file holds pointers and
 * flags only; the file is removed as soon as it was read. Calls of a 32-bit program are not told apart from others.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deny, ok, type Result } from '#hal/core/result';
import { readIfThere } from '#hal/linux/atomic-file';
import { type CallWindow, windowLimits } from '#hal/ports/signals';

const limits = { fileBytes: 32 * 1024 * 1024, calls: 200_000, threads: 256 } as const;

/** `PID [ NUMBER] name(`: how a call begins. Its end, signals and exits are other lines, and are passed over. */
const callLine = /^(\d{1,10}) +\[ *(\d{1,4})\] [a-z0-9_]{1,64}\(/;

/**
 * @param text what `strace -f -n -o FILE` wrote
 * @returns numbers of calls in their order, of each thread; `resource/count-limit` beyond 200 000 calls or 256 threads
 */
export const parseCalls = (text: string): Result<readonly (readonly number[])[]> => {
  const threads = new Map<string, number[]>();
  let count = 0;
  for (const line of text.split('\n')) {
    const [, thread, digits] = callLine.exec(line) ?? [];
    const number = Number(digits);
    if (thread === undefined || !(number < windowLimits.callNumber)) continue;
    const calls = threads.get(thread) ?? [];
    if (calls.length === 0) threads.set(thread, calls);
    calls.push(number);
    count += 1;
    if (count > limits.calls || threads.size > limits.threads)
      return deny('resource', 'count-limit', `${count} calls of ${threads.size} threads`);
  }
  return ok([...threads.values()]);
};

/** Overlapping windows over each thread; the last one of a thread ends where the thread ended. */
export const windowsOf = (app: string, threads: readonly (readonly number[])[]): readonly CallWindow[] =>
  threads.flatMap((calls) => {
    const windows: CallWindow[] = [];
    if (calls.length < windowLimits.least) return windows;
    for (let end = Math.min(calls.length, windowLimits.calls); ; end = Math.min(end + windowLimits.step, calls.length)) {
      windows.push({ app, calls: calls.slice(Math.max(0, end - windowLimits.calls), end) });
      if (end === calls.length) return windows;
    }
  });

export interface Recording {
  /** Slug of the app that the program counts as. */
  readonly app: string;
  readonly program: string;
  readonly words: readonly string[];
}

const strace = '/usr/bin/strace';
const timeoutMs = 20_000;

/**
 * Runs a program to its end and records it; one that ends with an error, as an attack that was refused does, is recorded
 * too. It gets nothing of the caller's environment.
 * @returns its windows; `unavailable/not-supported` where strace cannot run here
 */
export const recordProgram = async ({ app, program, words }: Recording): Promise<Result<readonly CallWindow[]>> => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-calls-'));
  try {
    const file = join(directory, 'calls');
    const options = ['-f', '-qq', '-n', '-e', 'trace=all', '-e', 'raw=all', '-e', 'signal=none', '-s', '0', '-o', file];
    const said = await runToEnd([...options, program, ...words]);
    const read = readIfThere(file);
    if (!read.ok) return read;
    if (read.value === undefined || read.value.length === 0) return deny('unavailable', 'not-supported', said);
    if (read.value.length > limits.fileBytes) return deny('protocol', 'too-large', `${read.value.length} bytes of calls`);
    const threads = parseCalls(Buffer.from(read.value).toString('latin1'));
    return threads.ok ? ok(windowsOf(app, threads.value)) : threads;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

/** @returns why it failed, where it did */
const runToEnd = (words: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } } as const;
    execFile(strace, words, options, (error) => resolve(error?.message ?? ''));
  });
