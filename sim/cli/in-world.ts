/** Opens a world, powers its device on, runs the work, and leaves nothing behind: at the end, on a failure, on Ctrl-C. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { causeOf } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import type { Log } from '#hal/ports/log';
import { openProcessWorld, type ProcessWorld, writeCurrent } from '#sim/levels/processes';
import { runDirectoryOf } from '#sim/levels/run-directory';
import type { TpmKind } from '#sim/machine/machine';
import type { Context } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import { lockDirectory } from './lock.ts';
import { firstDeviceOf, worldDirectoryOf } from './places.ts';
import { announce, findRunning, startedTicksOf, withdraw } from './running.ts';

export interface WorldOptions {
  /** Which command opens it: for whoever asks who uses the directory. */
  readonly command: string;
  readonly directory: string;
  readonly tpm: TpmKind;
  /** What an earlier world kept there is removed first. */
  readonly isFresh?: boolean;
}

export interface OpenWorld {
  readonly world: ProcessWorld;
  /** Aborts when somebody wants the simulator to end. */
  readonly signal: AbortSignal;
  /** From here on the device answers. */
  ready(): void;
}

/** @returns the exit code of the work, or that of what kept it from running */
export const inWorld = async (
  { paths, clock, complain }: Context,
  { command, directory, tpm, isFresh = false }: WorldOptions,
  work: (open: OpenWorld) => Promise<number>,
): Promise<number> => {
  const missing = [paths.addon, join(paths.programs, 'agentd.cjs')].find((file) => !existsSync(file));
  if (missing !== undefined) {
    complain(`${missing} is not built: run make setup`);
    return exitCodes.failed;
  }
  const lock = await lockDirectory(directory);
  if (!lock.ok) {
    complain(`another simulator uses ${directory}${whoUses(directory)}; ./enigm-sim down ends it`);
    return exitCodes.failed;
  }
  const ending = new AbortController();
  const { signal } = ending;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => ending.abort());
  let world: ProcessWorld | undefined;
  try {
    if (isFresh) rmSync(directory, { recursive: true, force: true });
    const device = firstDeviceOf(directory, tpm);
    const runDirectory = runDirectoryOf(device);
    const tell = (isReady: boolean) =>
      announce(directory, {
        command,
        processId: process.pid,
        startedTicks: startedTicksOf(process.pid) ?? '',
        tpm,
        directory: device,
        runDirectory,
        isReady,
      });
    tell(false);
    writeCurrent(directory, runDirectory);
    world = await openProcessWorld({
      directory: worldDirectoryOf(directory, tpm),
      tpm,
      paths,
      clock,
      random: systemRandom,
      log: logTo(complain),
    });
    const { close } = world;
    // Closing ends what a step waits for, so an interrupted day comes back at once.
    signal.addEventListener('abort', () => void close(), { once: true });
    if (signal.aborted) return exitCodes.interrupted;
    await world.start();
    return await work({ world, signal, ready: () => tell(true) });
  } catch (error) {
    if (signal.aborted) return exitCodes.interrupted;
    complain(`the simulator gave up: ${causeOf(error)}; ./enigm-sim logs shows what the programs wrote`);
    return exitCodes.failed;
  } finally {
    await world?.close();
    withdraw(directory);
    lock.value.release();
  }
};

const whoUses = (directory: string): string => {
  const found = findRunning(directory);
  return found.state === 'running' ? ` (${found.running.command}, process ${found.running.processId})` : '';
};

/** Only what a person must see: the programs of the device have logs of their own. */
const logTo = (complain: (text: string) => void): Log => ({
  info: () => undefined,
  warn: () => undefined,
  error: (event, fields) => complain(`${event} ${JSON.stringify(fields ?? {})}`),
});

/** Resolves when the signal aborts, also where it did before. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
