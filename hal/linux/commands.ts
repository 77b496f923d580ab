/**
 * `Commands` by child processes of Node: for simulators and tools, never for the hands.
 *
 * @param before what stands before each program, such as `nsenter …` of a network lab
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { attemptAsync, deny } from '#hal/core/result';
import type { Commands } from '#hal/ports/commands';

const execute = promisify(execFile);
/** Nothing of the caller's environment: a program of the system is found where the system keeps it. */
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
const limits = { timeout: 10_000, maxBuffer: 4 * 1024 * 1024, killSignal: 'SIGKILL', env } as const;

export const linuxCommands = (before: readonly string[] = []): Commands => ({
  run(program, words, input) {
    // Node's pipe is a socket, which programs that open /dev/stdin cannot read.
    if (input !== undefined) return Promise.resolve(deny('unavailable', 'not-supported', 'input'));
    const [command = program, ...rest] = [...before, program, ...words];
    return attemptAsync(
      async () => (await execute(command, rest, limits)).stdout,
      (cause) => deny('unavailable', 'not-supported', cause),
    );
  },
});
