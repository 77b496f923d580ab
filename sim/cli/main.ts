/** enigm-sim: a simulated device and its far ends, on this machine. */
import { join, resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { linuxClock } from '#hal/linux/clock';
import { dayCommand } from './commands/day.ts';
import { downCommand } from './commands/down.ts';
import { logsCommand } from './commands/logs.ts';
import { rehearseCommand } from './commands/rehearse.ts';
import { shellCommand } from './commands/shell.ts';
import { snapshotCommand } from './commands/snapshot.ts';
import { statusCommand } from './commands/status.ts';
import { upCommand } from './commands/up.ts';
import type { Context, Run } from './context.ts';
import { exitCodes } from './exit-codes.ts';

/** The bundle lies in dist/sim of the project. */
const root = resolve(__dirname, '../..');
const context: Context = {
  paths: {
    programs: join(root, 'dist/device'),
    simPrograms: join(root, 'dist/sim'),
    key: join(root, 'dist/key'),
    addon: join(root, 'build/native/tpm-sim.node'),
    node: process.execPath,
  },
  project: root,
  home: join(root, '.enigm'),
  script: __filename,
  clock: linuxClock(),
  write: (text) => void process.stdout.write(text),
  complain: (text) => void process.stderr.write(`${text}\n`),
};

const program = new Command('enigm-sim')
  .description('A simulated Enigm device with its far ends, on this machine.')
  .showHelpAfterError('(enigm-sim --help lists the commands)')
  .exitOverride();

let code: number = exitCodes.done;
const run: Run =
  (action) =>
  async (...values) => {
    code = await action(...values);
  };
const commands = [dayCommand, upCommand, shellCommand, snapshotCommand, statusCommand, logsCommand, downCommand, rehearseCommand];
for (const command of commands) command(program, run, context);

// Whoever listened is gone (`| head`, a closed terminal): as on a hang-up, a device that runs ends in order.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', () => {
    if (!process.emit('SIGHUP')) process.exit(exitCodes.done);
  });

program.parseAsync().then(
  () => process.exit(code),
  (error: unknown) => {
    if (!(error instanceof CommanderError)) throw error;
    process.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.usage);
  },
);
