/** enigm-sim up: a device that stays, in the foreground or (`--detach`) in the background. */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { runDirectoryOf } from '#sim/levels/run-directory';
import type { Context, Run } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { aborted, inWorld } from '../in-world.ts';
import { type DeviceOptions, jsonOption, kindOf, withDevice, withDirectory } from '../options.ts';
import { pageLink } from '../page-link.ts';
import { type DeviceKind, firstDeviceOf } from '../places.ts';
import { findRunning } from '../running.ts';
import { hint, kindNames, showRunning } from '../state.ts';

interface UpOptions extends DeviceOptions {
  readonly detach?: boolean;
  readonly json?: boolean;
  readonly directory: string;
}

/** A machine in the emulator has an image to be built first. */
const startWithinMs: Readonly<Record<DeviceKind, number>> = { embedded: 60_000, swtpm: 60_000, qemu: 600_000 };
const pollMs = 50;

export const upCommand = (program: Command, run: Run, context: Context): void => {
  const command = program
    .command('up')
    .description('start the simulated device and its far ends, and keep them running')
    .option('--detach', 'in the background; `enigm-sim down` ends it')
    .addOption(jsonOption('print one JSON object when it runs'));
  withDirectory(withDevice(command), context.home).action(
    run((options: UpOptions) => {
      const directory = resolve(options.directory);
      return options.detach === true ? detach(context, directory, options) : stay(context, directory, options);
    }),
  );
};

const stay = (context: Context, directory: string, { json = false, ...device }: UpOptions): Promise<number> =>
  inWorld(context, { command: 'up', directory, kind: kindOf(device) }, async ({ world, runDirectory, signal, ready }) => {
    await world.device.answers();
    await world.until('the page is there', () => pageLink(runDirectory) !== undefined);
    ready();
    showRunning(context, directory, json);
    if (!json) context.write(`${hint(context, directory, runDirectory, 'Ctrl-C')}\n`);
    await aborted(signal);
    return exitCodes.done;
  });

/** A device that runs as it was asked for is what was asked for. */
const detach = async (context: Context, directory: string, { json = false, ...device }: UpOptions): Promise<number> => {
  const { complain, clock, paths, script } = context;
  const kind = kindOf(device);
  const found = findRunning(directory);
  if (found.state === 'running') {
    const { command, processId, kind: kindThere, isReady } = found.running;
    if (command === 'up' && kindThere === kind && isReady) return showRunning(context, directory, json);
    complain(
      `another simulator uses ${directory} (${command}, process ${processId}, ${kindNames[kindThere]}); ./enigm-sim down ends it`,
    );
    return exitCodes.failed;
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const saidPath = join(directory, 'up.log');
  const said = openSync(saidPath, 'w', 0o600);
  const child = spawn(paths.node, ['--no-warnings', script, 'up', ...deviceWords(device), '--directory', directory], {
    detached: true,
    stdio: ['ignore', said, said],
  });
  // Until it runs, Ctrl-C means both.
  let isInterrupted = false;
  process.once('SIGINT', () => {
    isInterrupted = child.kill('SIGTERM');
  });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const isUp = () => {
    const now = findRunning(directory);
    return now.state === 'running' && now.running.processId === child.pid && now.running.isReady;
  };
  const deadlineMs = clock.bootMs() + startWithinMs[kind];
  const never = new AbortController().signal;
  while (!isUp() && !hasEnded() && clock.bootMs() < deadlineMs) await clock.sleep(pollMs, never);
  if (isUp() && !isInterrupted) {
    child.unref();
    const code = showRunning(context, directory, json);
    if (!json) context.write(`${hint(context, directory, runDirectoryOf(firstDeviceOf(directory, kind)), './enigm-sim down')}\n`);
    return code;
  }
  child.kill('SIGTERM');
  while (!hasEnded()) await clock.sleep(pollMs, never);
  if (isInterrupted) return exitCodes.interrupted;
  complain(`it did not start: ${readFileSync(saidPath, 'utf8').trim() || `see ${saidPath}`}`);
  return exitCodes.failed;
};

const deviceWords = ({ tpm, qemu = false }: DeviceOptions): readonly string[] => (qemu ? ['--qemu'] : ['--tpm', tpm]);
