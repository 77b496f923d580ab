/** enigm-sim logs: what the programs of the device wrote. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Argument, type Command } from 'commander';
import { programNames } from '#agents/supervisor/launch';
import { simulatedLayout } from '#sim/machine/layout';
import type { Context, Run } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { jsonLine, mergeLogs, showLine } from '../log-lines.ts';
import { type DeviceOptions, jsonOption, kindOf, withDevice, withDirectory } from '../options.ts';
import { firstDeviceOf } from '../places.ts';
import { findRunning } from '../running.ts';

interface LogsOptions extends DeviceOptions {
  readonly directory: string;
  readonly json?: boolean;
}

/** Of each file, its last part: logs grow with every start, a screen does not. */
const maxBytes = 4 * 1024 * 1024;

export const logsCommand = (program: Command, run: Run, context: Context): void => {
  const command = program
    .command('logs')
    .description('what the programs of the simulated device wrote, oldest first')
    .addArgument(new Argument('[program]', 'one of them').choices(programNames))
    .addOption(jsonOption('the lines as they were written, one JSON object each'));
  withDirectory(withDevice(command), context.home).action(
    run((name: string | undefined, options: LogsOptions) => logs(context, name, options)),
  );
};

const logs = ({ write, complain }: Context, name: string | undefined, options: LogsOptions): number => {
  const directory = resolve(options.directory);
  const found = findRunning(directory);
  if ((found.state === 'none' ? kindOf(options) : found.running.kind) === 'qemu') {
    complain(
      "a machine has what its programs write in its kernel's log: ./enigm-sim shell 'busybox dmesg' shows it while it runs",
    );
    return exitCodes.failed;
  }
  const { logs: folder } = simulatedLayout(
    found.state === 'none' ? firstDeviceOf(directory, kindOf(options)) : found.running.directory,
  );
  const programs = logsIn(folder).filter((program) => name === undefined || program === name);
  if (programs.length === 0) {
    complain(name === undefined ? `there are no logs in ${folder}` : `there is no log of ${name} in ${folder}`);
    return exitCodes.failed;
  }
  const files = programs.map((program) => ({ program, text: lastPart(join(folder, `${program}.log`)) }));
  for (const line of mergeLogs(files)) write(`${options.json === true ? jsonLine(line) : showLine(line)}\n`);
  return exitCodes.done;
};

const logsIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith('.log'))
      .map((file) => file.slice(0, -'.log'.length));
  } catch {
    return [];
  }
};

const lastPart = (path: string): string => {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const start = Math.max(0, size - maxBytes);
    const bytes = Buffer.alloc(size - start);
    const length = readSync(file, bytes, 0, bytes.length, start);
    const text = bytes.toString('utf8', 0, length);
    // The first line of a part is a part of a line.
    return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    closeSync(file);
  }
};
