/** Commands as a person runs them: what they say, and how they end. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { BuildPaths } from '#sim/machine/launch';
import type { CommandOutcome } from '#sim/world/world';

export interface Said {
  /** `null` where a signal ended it. */
  readonly code: number | null;
  readonly out: string;
  readonly said: string;
}

/** Resolves at the end of the command, also where it never began: then the code is -1. */
export const saidBy = (child: ChildProcessByStdio<null, Readable, Readable>): Promise<Said> => {
  let out = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return new Promise((resolve) => {
    child.once('error', () => resolve({ code: -1, out, said }));
    child.once('close', (code) => resolve({ code, out, said }));
  });
};

export interface CommandPlace {
  readonly paths: Pick<BuildPaths, 'node' | 'programs'>;
  /** Where the sockets of the device are. */
  readonly runDirectory: string;
  /** What lasts longer is ended. */
  readonly timeoutMs?: number;
}

/** Runs `enigmctl --json` to its end. */
export const enigmctl = async (
  { paths, runDirectory, timeoutMs = 60_000 }: CommandPlace,
  words: readonly string[],
  signal: AbortSignal,
): Promise<CommandOutcome> => {
  const script = join(paths.programs, 'enigmctl.cjs');
  const child = spawn(paths.node, ['--no-warnings', script, '--json', '--run', runDirectory, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    signal,
  });
  const { code, out, said } = await saidBy(child);
  return { code: code ?? -1, json: parsed(out), said };
};

const parsed = (text: string): CommandOutcome['json'] => {
  try {
    return JSON.parse(text) as CommandOutcome['json'];
  } catch {
    return {};
  }
};
