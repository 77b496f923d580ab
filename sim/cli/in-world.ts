/** Opens a world, powers its device on, runs the work, and leaves nothing behind: at the end, on a failure, on Ctrl-C. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { causeOf } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import type { Log } from '#hal/ports/log';
import { imageOfBuild } from '#sim/image/image';
import type { Body, Level } from '#sim/levels/level';
import { openMachineWorld } from '#sim/levels/machines';
import { openProcessWorld, writeCurrent } from '#sim/levels/processes';
import { runDirectoryOf } from '#sim/levels/run-directory';
import { missingForMachines } from '#sim/qemu/missing';
import type { Context } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import { lockDirectory } from './lock.ts';
import { type DeviceKind, firstDeviceOf, worldDirectoryOf } from './places.ts';
import { announce, findRunning, startedTicksOf, withdraw } from './running.ts';

export interface WorldOptions {
  /** Which command opens it: for whoever asks who uses the directory. */
  readonly command: string;
  readonly directory: string;
  readonly kind: DeviceKind;
  /** What an earlier world kept there is removed first. */
  readonly isFresh?: boolean;
}

export interface OpenWorld {
  readonly world: Level<Body>;
  /** Sockets of the first device. */
  readonly runDirectory: string;
  /** Aborts when somebody wants the simulator to end. */
  readonly signal: AbortSignal;
  /** From here on the device answers. */
  ready(): void;
}

/** @returns the exit code of the work, or that of what kept it from running */
export const inWorld = async (
  context: Context,
  { command, directory, kind, isFresh = false }: WorldOptions,
  work: (open: OpenWorld) => Promise<number>,
): Promise<number> => {
  const { paths, complain } = context;
  const missing = [paths.addon, join(paths.programs, 'agentd.cjs')].find((file) => !existsSync(file));
  if (missing !== undefined) {
    complain(`${missing} is not built: run make setup`);
    return exitCodes.failed;
  }
  const notInstalled = kind === 'qemu' ? missingForMachines() : undefined;
  if (notInstalled !== undefined) {
    complain(notInstalled);
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
  let world: Level<Body> | undefined;
  try {
    if (isFresh) rmSync(directory, { recursive: true, force: true });
    const device = firstDeviceOf(directory, kind);
    const runDirectory = runDirectoryOf(device);
    const tell = (isReady: boolean) =>
      announce(directory, {
        command,
        processId: process.pid,
        startedTicks: startedTicksOf(process.pid) ?? '',
        kind,
        directory: device,
        runDirectory,
        isReady,
      });
    tell(false);
    writeCurrent(directory, runDirectory);
    world = await openWorld(context, worldDirectoryOf(directory, kind), kind);
    const { close } = world;
    // Closing ends what a step waits for, so an interrupted day comes back at once.
    signal.addEventListener('abort', () => void close(), { once: true });
    if (signal.aborted) return exitCodes.interrupted;
    await world.start();
    return await work({ world, runDirectory, signal, ready: () => tell(true) });
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

const openWorld = ({ paths, clock, complain, project }: Context, directory: string, kind: DeviceKind): Promise<Level<Body>> => {
  const options = { directory, paths, clock, random: systemRandom, log: logTo(complain) };
  return kind === 'qemu'
    ? openMachineWorld({
        ...options,
        buildImage: (folder, more, epoch) => imageOfBuild(project, folder, complain, [], more, epoch),
      })
    : openProcessWorld({ ...options, tpm: kind });
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
