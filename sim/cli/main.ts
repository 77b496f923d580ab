/** enigm-sim: a simulated device and its far ends, on this machine. */
import { spawn } from 'node:child_process';
import { createReadStream, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { codeOf, type Failure } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { systemRandom } from '#hal/linux/random';
import type { Log } from '#hal/ports/log';
import { openProcessWorld, type ProcessWorld, runDirectoryOf, writeCurrent } from '#sim/levels/processes';
import { type BuildPaths, programNames } from '#sim/machine/launch';
import { simulatedLayout } from '#sim/machine/layout';
import type { TpmKind } from '#sim/machine/machine';
import { breaks, type Sabotage } from '#sim/scenarios/breaks';
import { day } from '#sim/scenarios/day';
import { liveDay } from './day.ts';
import { lockDirectory } from './lock.ts';
import { jsonTeller, type Named, storyTeller, type Teller } from './teller.ts';

const exitCodes = { done: 0, failed: 1, usage: 2, refused: 3, interrupted: 130 } as const;

/** The bundle lies in dist/sim of the project. */
const root = resolve(__dirname, '../..');
const paths: BuildPaths = {
  programs: join(root, 'dist/device'),
  simPrograms: join(root, 'dist/sim'),
  addon: join(root, 'build/native/tpm-sim.node'),
  node: process.execPath,
};
const clock = linuxClock();
const home = join(root, '.enigm');
const upFile = (directory: string) => join(directory, 'up.json');
const firstDevice = (directory: string) => join(directory, 'device-1');
const startMs = 60_000;

let code: number = exitCodes.done;
const write = (text: string) => void process.stdout.write(text);
const complain = (text: string) => void process.stderr.write(`${text}\n`);

/** Only what a person must see: the programs of the device have logs of their own. */
const log: Log = {
  info: () => undefined,
  warn: () => undefined,
  error: (event, fields) => complain(`${event} ${JSON.stringify(fields ?? {})}`),
};

const tpmKind = (value: string): TpmKind => {
  if (value !== 'embedded' && value !== 'swtpm') throw new InvalidArgumentError('embedded or swtpm.');
  return value;
};

const program = new Command('enigm-sim')
  .description('A simulated Enigm device with its far ends, on this machine.')
  .showHelpAfterError()
  .exitOverride();

interface DayOptions {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly break?: string;
  readonly tpm: TpmKind;
  readonly directory: string;
}

program
  .command('day')
  .description('live one day of a device on real parts, step by step')
  .option('--once', 'end after the day instead of leaving the Trust Security Center open')
  .option('--json', 'one JSON object a step, then a summary')
  .option('--break <name>', 'sabotage the day; `list` names the ways')
  .option('--tpm <kind>', 'embedded (in process) or swtpm (a process of its own)', tpmKind, 'embedded')
  .option('--directory <path>', 'where devices and far ends are kept', home)
  .action(async (options: DayOptions) => {
    if (options.break === 'list') {
      for (const [name, { what, step, code: expected }] of Object.entries(breaks))
        write(`${name.padEnd(10)} ${what}; refused at ${step} with ${expected}\n`);
      return;
    }
    if (options.break !== undefined && !Object.hasOwn(breaks, options.break)) {
      complain(`no way to break the day is called ${options.break}: ${Object.keys(breaks).join(', ')}`);
      code = exitCodes.usage;
      return;
    }
    const sabotage: Named | undefined =
      options.break === undefined ? undefined : { ...(breaks[options.break] as Sabotage), name: options.break };
    // A sabotaged day has a device of its own, new each time: what was broken on purpose stays out of other days.
    const directory = resolve(sabotage === undefined ? options.directory : join(options.directory, 'break', sabotage.name));
    if (sabotage !== undefined) rmSync(directory, { recursive: true, force: true });
    const teller = options.json === true ? jsonTeller(write) : storyTeller(write, process.stdout.isTTY === true);
    code = await inWorld(directory, options.tpm, (world, signal) => wholeDay(world, sabotage, options, teller, signal));
  });

const wholeDay = async (
  world: ProcessWorld,
  sabotage: Named | undefined,
  options: DayOptions,
  teller: Teller,
  signal: AbortSignal,
): Promise<number> => {
  teller.says(`one day of a simulated device (TPM: ${options.tpm}), kept in ${world.device.directory}`);
  const summary = await liveDay(world, day, sabotage, clock, teller, signal);
  if (signal.aborted) return exitCodes.interrupted;
  teller.sums(summary, sabotage);
  if (options.once !== true) {
    await showPage(world, teller);
    await new Promise<void>((ended) => signal.addEventListener('abort', () => ended(), { once: true }));
    return summary.isAsExpected && sabotage === undefined ? exitCodes.done : exitCodes.refused;
  }
  if (sabotage === undefined) return summary.isAsExpected ? exitCodes.done : exitCodes.failed;
  return summary.isAsExpected ? exitCodes.refused : exitCodes.failed;
};

const showPage = async (world: ProcessWorld, teller: Teller): Promise<void> => {
  const url = join(world.machine.runDirectory, 'page.url');
  await world.until('the page is there', () => existsSync(url));
  teller.says(
    `\nTrust Security Center: ${readFileSync(url, 'utf8').trim()}\n(Ctrl-C ends the device; ./enigmctl talks to it meanwhile)`,
  );
};

interface UpOptions {
  readonly detach?: boolean;
  readonly tpm: TpmKind;
  readonly directory: string;
}

program
  .command('up')
  .description('start the simulated device and its far ends, and keep them running')
  .option('--detach', 'in the background; `enigm-sim down` ends it')
  .option('--tpm <kind>', 'embedded or swtpm', tpmKind, 'embedded')
  .option('--directory <path>', 'where devices and far ends are kept', home)
  .action(async (options: UpOptions) => {
    const directory = resolve(options.directory);
    if (options.detach === true) {
      code = await detach(directory, options.tpm);
      return;
    }
    code = await inWorld(directory, options.tpm, async (world, signal) => {
      await world.device.answers();
      writeFileSync(upFile(directory), JSON.stringify({ processId: process.pid, runDirectory: world.machine.runDirectory }), {
        mode: 0o600,
      });
      const url = join(world.machine.runDirectory, 'page.url');
      await world.until('the page is there', () => existsSync(url));
      write(`a simulated device runs in ${world.device.directory}\nTrust Security Center: ${readFileSync(url, 'utf8').trim()}\n`);
      await new Promise<void>((ended) => signal.addEventListener('abort', () => ended(), { once: true }));
      return exitCodes.done;
    });
  });

const detach = async (directory: string, tpm: TpmKind): Promise<number> => {
  rmSync(upFile(directory), { force: true });
  writeCurrent(directory, runDirectoryOf(firstDevice(directory)));
  const output = openSync(join(directory, 'up.log'), 'a', 0o600);
  const child = spawn(process.execPath, [...process.execArgv, __filename, 'up', '--tpm', tpm, '--directory', directory], {
    detached: true,
    stdio: ['ignore', output, output],
  });
  const deadlineMs = clock.bootMs() + startMs;
  while (!existsSync(upFile(directory))) {
    if (child.exitCode !== null || clock.bootMs() > deadlineMs) {
      complain(`it did not start; ${join(directory, 'up.log')} says why`);
      return exitCodes.failed;
    }
    await clock.sleep(50, new AbortController().signal);
  }
  child.unref();
  return printUp(directory);
};

interface Up {
  readonly processId: number;
  readonly runDirectory: string;
}

const readUp = (directory: string): Up | undefined => {
  if (!existsSync(upFile(directory))) return undefined;
  const up = JSON.parse(readFileSync(upFile(directory), 'utf8')) as Up;
  try {
    process.kill(up.processId, 0);
    return up;
  } catch {
    return undefined;
  }
};

const printUp = (directory: string): number => {
  const up = readUp(directory);
  if (up === undefined) {
    write('no simulated device runs\n');
    return exitCodes.failed;
  }
  const url = join(up.runDirectory, 'page.url');
  write(
    `a simulated device runs (process ${up.processId}), sockets in ${up.runDirectory}\n${existsSync(url) ? `Trust Security Center: ${readFileSync(url, 'utf8').trim()}\n` : ''}`,
  );
  return exitCodes.done;
};

program
  .command('status')
  .description('whether a simulated device runs, and where')
  .option('--directory <path>', 'where devices and far ends are kept', home)
  .action(({ directory }: { readonly directory: string }) => {
    code = printUp(resolve(directory));
  });

program
  .command('down')
  .description('end the simulated device that runs')
  .option('--directory <path>', 'where devices and far ends are kept', home)
  .action(async (options: { readonly directory: string }) => {
    const directory = resolve(options.directory);
    const up = readUp(directory);
    if (up === undefined) {
      write('no simulated device runs\n');
      return;
    }
    process.kill(up.processId, 'SIGTERM');
    const deadlineMs = clock.bootMs() + startMs;
    while (readUp(directory) !== undefined && clock.bootMs() < deadlineMs) await clock.sleep(50, new AbortController().signal);
    code = readUp(directory) === undefined ? exitCodes.done : exitCodes.failed;
    write(code === exitCodes.done ? 'ended\n' : `process ${up.processId} does not end\n`);
  });

program
  .command('logs')
  .argument('[program]', programNames.join(', '))
  .description('what the programs of the simulated device wrote')
  .option('--directory <path>', 'where devices and far ends are kept', home)
  .action(async (name: string | undefined, options: { readonly directory: string }) => {
    const { logs } = simulatedLayout(firstDevice(resolve(options.directory)));
    const files = existsSync(logs) ? readdirSync(logs).filter((file) => name === undefined || file === `${name}.log`) : [];
    if (files.length === 0) {
      complain(name === undefined ? 'there are no logs yet' : `there is no log of ${name}`);
      code = exitCodes.failed;
    }
    for (const file of files) for await (const chunk of createReadStream(join(logs, file))) process.stdout.write(chunk as Buffer);
  });

program
  .command('rehearse')
  .description('provision a simulated device that is thrown away: what `enigmctl provision --rehearse` starts')
  .option('--technician <pseudonym>', 'a slug', 'technician')
  .option('--json', 'print one JSON object')
  .action(async ({ technician, json = false }: { readonly technician: string; readonly json?: boolean }) => {
    const directory = join(home, 'rehearsal');
    rmSync(directory, { recursive: true, force: true });
    code = await inWorld(directory, 'embedded', async (world) => {
      await world.device.answers();
      const done = await world.device.enigmctl('provision', '--technician', technician);
      complain(done.said.trim());
      write(
        json
          ? `${JSON.stringify({ isRehearsal: true, ...done.json })}\n`
          : `rehearsed on a simulated device: ${done.code === 0 ? 'all steps done' : 'not done'}\n`,
      );
      return done.code;
    });
    rmSync(directory, { recursive: true, force: true });
  });

/** Opens a world, powers its device on, runs the work, and leaves nothing behind: at the end, on a failure, on Ctrl-C. */
const inWorld = async (
  directory: string,
  tpm: TpmKind,
  work: (world: ProcessWorld, signal: AbortSignal) => Promise<number>,
): Promise<number> => {
  const missing = [paths.addon, join(paths.programs, 'agentd.cjs')].find((file) => !existsSync(file));
  if (missing !== undefined) {
    complain(`${missing} is not built: run make setup`);
    return exitCodes.failed;
  }
  const lock = await lockDirectory(directory);
  if (!lock.ok) return fail(lock);
  const ending = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => ending.abort());
  const world = await openProcessWorld({ directory, tpm, paths, clock, random: systemRandom, log });
  writeCurrent(directory === resolve(home) ? home : directory, world.machine.runDirectory);
  // Closing ends what a step waits for, so an interrupted day comes back at once.
  ending.signal.addEventListener('abort', () => void world.close(), { once: true });
  try {
    await world.start();
    return await work(world, ending.signal);
  } catch (error) {
    if (ending.signal.aborted) return exitCodes.interrupted;
    throw error;
  } finally {
    await world.close();
    rmSync(upFile(directory), { force: true });
    lock.value.release();
  }
};

const fail = ({ fault }: Failure): number => {
  complain(`${codeOf(fault)}: ${fault.detail ?? ''}`);
  return exitCodes.failed;
};

program.parseAsync().then(
  () => process.exit(code),
  (error: unknown) => {
    if (!(error instanceof CommanderError)) throw error;
    process.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.usage);
  },
);
