/** enigm-sim day: one day of a device, told step by step. */
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { breaks } from '#sim/scenarios/breaks';
import { day } from '#sim/scenarios/day';
import type { Sabotage } from '#sim/scenarios/sabotage';
import type { Context, Run } from '../context.ts';
import { liveDay } from '../day.ts';
import { exitCodes } from '../exit-codes.ts';
import { aborted, inWorld, type OpenWorld } from '../in-world.ts';
import { type DeviceOptions, jsonOption, kindOf, withDevice, withDirectory } from '../options.ts';
import { pageLink } from '../page-link.ts';
import { hint, kindNames } from '../state.ts';
import { jsonTeller, type Named, storyTeller, type Teller } from '../teller.ts';

interface DayOptions extends DeviceOptions {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly break?: string;
  readonly directory: string;
}

export const dayCommand = (program: Command, run: Run, context: Context): void => {
  const command = program
    .command('day')
    .description('live one day of a device on real parts, step by step')
    .option('--once', 'end after the day instead of leaving the Trust Security Center open')
    .addOption(jsonOption('one JSON object a step, then a summary'))
    .option('--break <name>', 'sabotage the day; `list` names the ways');
  withDirectory(withDevice(command), context.home).action(run((options: DayOptions) => chooseDay(context, options)));
};

const chooseDay = (context: Context, options: DayOptions): Promise<number> | number => {
  const { write, complain } = context;
  if (options.break === 'list') {
    for (const [name, { what, step, code }] of Object.entries(breaks))
      write(`${name.padEnd(10)} ${what}; refused at ${step} with ${code}\n`);
    return exitCodes.done;
  }
  if (options.break !== undefined && !Object.hasOwn(breaks, options.break)) {
    complain(`no way to break the day is called ${options.break}: ${Object.keys(breaks).join(', ')}`);
    return exitCodes.usage;
  }
  const sabotage: Named | undefined =
    options.break === undefined ? undefined : { ...(breaks[options.break] as Sabotage), name: options.break };
  const teller = options.json === true ? jsonTeller(write) : storyTeller(write, process.stdout.isTTY === true);
  // A sabotaged day has a device of its own, new each time: what was broken on purpose stays out of other days.
  const directory = resolve(sabotage === undefined ? options.directory : join(options.directory, 'break', sabotage.name));
  return inWorld(context, { command: 'day', directory, isFresh: sabotage !== undefined, kind: kindOf(options) }, (open) =>
    wholeDay(context, open, sabotage, { ...options, directory }, teller),
  );
};

const wholeDay = async (
  context: Context,
  { world, runDirectory, signal, ready }: OpenWorld,
  sabotage: Named | undefined,
  options: DayOptions,
  teller: Teller,
): Promise<number> => {
  teller.says(`one day of a simulated device (${kindNames[kindOf(options)]}), kept in ${world.device.directory}`);
  const summary = await liveDay(world, day, sabotage, context.clock, teller, signal);
  if (signal.aborted) return exitCodes.interrupted;
  teller.sums(summary, sabotage);
  if (options.once !== true) {
    await world.until('the page is there', () => pageLink(runDirectory) !== undefined);
    const where = `\nTrust Security Center: ${pageLink(runDirectory)}\n${hint(context, options.directory, runDirectory, 'Ctrl-C')}`;
    if (options.json === true) context.complain(where);
    else teller.says(where);
    ready();
    await aborted(signal);
  }
  if (!summary.isAsExpected) return exitCodes.failed;
  return sabotage === undefined ? exitCodes.done : exitCodes.refused;
};
