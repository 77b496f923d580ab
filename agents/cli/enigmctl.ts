/** enigmctl as a function: words in, exit code out. */
import { Command, CommanderError } from 'commander';
import { causeOf } from '#hal/core/result';
import { attestCommands } from './commands/attest.ts';
import { auditCommands } from './commands/audit.ts';
import { beaconCommands } from './commands/beacon.ts';
import { decisionCommands } from './commands/decide.ts';
import { defenseCommands } from './commands/defense.ts';
import { deviceCommands, printStatus } from './commands/device.ts';
import { doctorCommand } from './commands/doctor.ts';
import { explainCommand } from './commands/explain.ts';
import { keysCommands } from './commands/keys.ts';
import { managedCommands } from './commands/managed.ts';
import { orderCommand } from './commands/order.ts';
import { postureCommand } from './commands/posture.ts';
import { provisionCommands } from './commands/provision.ts';
import { releaseCommands } from './commands/release.ts';
import { updateCommands } from './commands/update.ts';
import { verifyCommands } from './commands/verify.ts';
import { type Streams, standardStreams } from './console.ts';
import { type Context, contextOf, type GlobalOptions } from './context.ts';
import { exitCodes } from './exit-codes.ts';

/** @param words what stands after the program's name */
export const enigmctl = async (words: readonly string[], streams: Streams = standardStreams): Promise<number> => {
  const { program, code } = enigmctlProgram(streams);
  try {
    await program.parseAsync(words, { from: 'user' });
    return code();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
};

/** Every command, before any word was read. @returns the program, and the exit code of the action that ran */
export const enigmctlProgram = (streams: Streams): { readonly program: Command; readonly code: () => number } => {
  const program = new Command('enigmctl')
    .description('What state is this device in, why, and what would change it.')
    .option('--run <directory>', 'where the device has its sockets (default: $ENIGM_RUN, then /run/enigm)')
    .option('--json', 'print one JSON object')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: streams.out, writeErr: streams.error })
    .showHelpAfterError('(enigmctl --help lists the commands)')
    .exitOverride();

  let code: number = exitCodes.done;
  /** Wraps an action: the context in, the exit code out. */
  const run =
    <A extends readonly unknown[]>(action: (context: Context, ...values: A) => Promise<number> | number) =>
    async (...values: A): Promise<void> => {
      const context = contextOf(program.opts<GlobalOptions>(), streams);
      try {
        code = await action(context, ...values);
      } catch (error) {
        if (error instanceof CommanderError) throw error;
        code = context.console.refuse({ category: 'unavailable', reason: 'program-failed', detail: causeOf(error) });
      }
    };

  // Words that are no command come here: without them, the state.
  program
    .usage('[options] [command]')
    .helpCommand(true)
    .argument('[words...]')
    .action(
      run((context, [command]: readonly string[]) =>
        command === undefined ? printStatus(context) : program.error(`error: there is no command ${command.slice(0, 40)}`),
      ),
    );
  deviceCommands(program, run);
  provisionCommands(program, run);
  attestCommands(program, run);
  postureCommand(program, run);
  decisionCommands(program, run);
  auditCommands(program, run);
  keysCommands(program, run);
  managedCommands(program, run);
  orderCommand(program, run);
  updateCommands(program, run);
  defenseCommands(program, run);
  releaseCommands(program, run);
  verifyCommands(program, run);
  beaconCommands(program, run);
  doctorCommand(program, run);
  explainCommand(program, run);
  return { program, code: () => code };
};
