/** `Commands` by child processes of Node: for simulators, tools, and recovery, where nothing else runs; never for the hands. */
import { type ExecFileException, execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { causeOf, deny, ok } from '#hal/core/result';
import type { Commands } from '#hal/ports/commands';

export interface CommandOptions {
  /** What stands before each program, such as `nsenter …` of a network lab. */
  readonly before?: readonly string[];
  /** What lasts longer is killed. */
  readonly timeoutMs?: number;
}

const execute = promisify(execFile);
/** Nothing of the caller's environment: a program of the system is found where the system keeps it. */
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
const limits = { maxBuffer: 4 * 1024 * 1024, killSignal: 'SIGKILL', env } as const;

export const linuxCommands = ({ before = [], timeoutMs = 10_000 }: CommandOptions = {}): Commands => ({
  async run(program, words, input) {
    // Node's pipe is a socket, which programs that open /dev/stdin cannot read.
    if (input !== undefined) return deny('unavailable', 'not-supported', 'input');
    const [command = program, ...rest] = [...before, program, ...words];
    try {
      return ok((await execute(command, rest, { ...limits, timeout: timeoutMs })).stdout);
    } catch (error) {
      const { killed, code } = error as ExecFileException;
      return killed === true && code === null
        ? deny('resource', 'time-limit', `${program} was killed after ${timeoutMs} ms`)
        : deny('unavailable', 'not-supported', causeOf(error));
    }
  },
});
