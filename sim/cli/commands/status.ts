/** enigm-sim status: whether a simulated device runs, and where. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Context, Run } from '../context.ts';
import { jsonOption, withDirectory } from '../options.ts';
import { showRunning } from '../state.ts';

export const statusCommand = (program: Command, run: Run, context: Context): void => {
  const command = program
    .command('status')
    .description('whether a simulated device runs, and where; exit code 1 where none does')
    .addOption(jsonOption());
  withDirectory(command, context.home).action(
    run(({ directory, json = false }: { readonly directory: string; readonly json?: boolean }) =>
      showRunning(context, resolve(directory), json),
    ),
  );
};
