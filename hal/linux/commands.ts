/** `Commands` by child processes. @param before what stands before each program, such as `nsenter …` of a network lab */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { attemptAsync, deny } from '#hal/core/result';
import type { Commands } from '#hal/ports/commands';

const execute = promisify(execFile);
const limits = { timeout: 10_000, maxBuffer: 4 * 1024 * 1024, killSignal: 'SIGKILL' } as const;

export const linuxCommands = (before: readonly string[] = []): Commands => ({
  run(program, words) {
    const [command = program, ...rest] = [...before, program, ...words];
    return attemptAsync(
      async () => (await execute(command, rest, { ...limits, env: { PATH: systemPath } })).stdout,
      (cause) => deny('unavailable', 'not-supported', cause),
    );
  },
});

/** Nothing of the caller's environment: a program of the system is found where the system keeps it. */
const systemPath = '/usr/sbin:/usr/bin:/sbin:/bin';
