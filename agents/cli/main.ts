/** enigmctl: the command line of a device. Alone it prints one line of state and the next step. */
import { Command, CommanderError } from 'commander';
import { attestCommands } from './commands/attest.ts';
import { auditCommands } from './commands/audit.ts';
import { decisionCommands } from './commands/decide.ts';
import { deviceCommands, printStatus } from './commands/device.ts';
import { doctorCommand } from './commands/doctor.ts';
import { explainCommand } from './commands/explain.ts';
import { postureCommand } from './commands/posture.ts';
import { provisionCommands } from './commands/provision.ts';
import { type Context, contextOf, type GlobalOptions } from './context.ts';
import { exitCodes } from './exit-codes.ts';

const program = new Command('enigmctl')
  .description('What state is this device in, why, and what would change it.')
  .option('--run <directory>', 'where the device has its sockets (default: $ENIGM_RUN, then /run/enigm)')
  .option('--json', 'print one JSON object')
  .configureHelp({ showGlobalOptions: true })
  .showHelpAfterError('(enigmctl --help lists the commands)')
  .exitOverride();

let code: number = exitCodes.done;
/** Wraps an action: the context in, the exit code out. */
const run =
  <A extends readonly unknown[]>(action: (context: Context, ...values: A) => Promise<number> | number) =>
  async (...values: A): Promise<void> => {
    code = await action(contextOf(program.opts<GlobalOptions>()), ...values);
  };

program.action(run((context) => printStatus(context)));
deviceCommands(program, run);
provisionCommands(program, run);
attestCommands(program, run);
postureCommand(program, run);
decisionCommands(program, run);
auditCommands(program, run);
doctorCommand(program, run);
explainCommand(program, run);

program.parseAsync().then(
  () => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  },
);
