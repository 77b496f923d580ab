/** enigm-sim down: ends the device that runs. Where none runs that is no failure: it is as it was asked for. */
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { causeOf } from '#hal/core/result';
import type { Context, Run } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { jsonOption, withDirectory } from '../options.ts';
import { runDirectoriesOf } from '../places.ts';
import { findRunning, withdraw } from '../running.ts';

interface DownOptions {
  readonly directory: string;
  readonly json?: boolean;
}

const endWithinMs = 30_000;
const pollMs = 25;

export const downCommand = (program: Command, run: Run, context: Context): void => {
  const command = program.command('down').description('end the simulated device that runs').addOption(jsonOption());
  withDirectory(command, context.home).action(run((options: DownOptions) => down(context, options)));
};

const down = async (context: Context, { directory: path, json = false }: DownOptions): Promise<number> => {
  const directory = resolve(path);
  const answer = (outcome: string, text: string, processId?: number) =>
    context.write(json ? `${JSON.stringify({ outcome, ...(processId === undefined ? {} : { processId }) })}\n` : `${text}\n`);
  const found = findRunning(directory);
  if (found.state === 'none') {
    answer('not-running', 'no simulated device runs');
    return exitCodes.done;
  }
  const { processId, kind } = found.running;
  if (found.state === 'running') {
    const failure = await end(context, directory, processId);
    if (failure !== undefined) {
      answer('failed', failure, processId);
      return exitCodes.failed;
    }
    answer('ended', `ended (process ${processId})`, processId);
    return exitCodes.done;
  }
  // Its programs ended with it; sockets have nobody left who would remove them.
  for (const runDirectory of runDirectoriesOf(directory, kind)) rmSync(runDirectory, { recursive: true, force: true });
  withdraw(directory);
  answer('removed', `process ${processId} was killed earlier; what it left is removed`, processId);
  return exitCodes.done;
};

/** @returns what went wrong, in one sentence */
const end = async ({ clock }: Context, directory: string, processId: number): Promise<string | undefined> => {
  try {
    process.kill(processId, 'SIGTERM');
  } catch (error) {
    // It may have ended in between; anything else is for the user.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') return `process ${processId} cannot be ended: ${causeOf(error)}`;
  }
  const runs = () => {
    const found = findRunning(directory);
    return found.state === 'running' && found.running.processId === processId;
  };
  const deadlineMs = clock.bootMs() + endWithinMs;
  while (runs() && clock.bootMs() < deadlineMs) await clock.sleep(pollMs, new AbortController().signal);
  return runs() ? `process ${processId} does not end` : undefined;
};
