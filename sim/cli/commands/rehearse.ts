/** enigm-sim rehearse: what `enigmctl provision --rehearse` starts. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Context, Run } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { inWorld } from '../in-world.ts';
import { jsonOption } from '../options.ts';

interface RehearseOptions {
  readonly technician: string;
  readonly json?: boolean;
}

export const rehearseCommand = (program: Command, run: Run, context: Context): void => {
  program
    .command('rehearse')
    .description('provision a simulated device that is thrown away: what `enigmctl provision --rehearse` starts')
    .option('--technician <pseudonym>', 'a slug', 'technician')
    .addOption(jsonOption())
    .action(run((options: RehearseOptions) => rehearse(context, options)));
};

const rehearse = (context: Context, { technician, json = false }: RehearseOptions): Promise<number> => {
  const { write, complain, home } = context;
  const directory = join(home, 'rehearsal');
  return inWorld(context, { command: 'rehearse', directory, kind: 'embedded', isFresh: true }, async ({ world }) => {
    await world.device.answers();
    const done = await world.device.enigmctl('provision', '--technician', technician);
    complain(done.said.trim());
    write(
      json
        ? `${JSON.stringify({ isRehearsal: true, ...done.json })}\n`
        : `rehearsed on a simulated device: ${done.code === exitCodes.done ? 'all steps done' : 'not done'}\n`,
    );
    await world.close();
    rmSync(directory, { recursive: true, force: true });
    return done.code;
  });
};
