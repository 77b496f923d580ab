/** enigmctl decide: ask for a decision. An allow shows what it was made of; a denial its code, and nothing more. */
import type { Command } from 'commander';
import { type ActionName, actionNames, actions } from '#agents/decision/actions';
import { codeOf, faultFrom } from '#hal/core/result';
import type { Run } from '../context.ts';
import { withDevice } from '../device.ts';
import { exitCodeOf, exitCodes } from '../exit-codes.ts';

export const decisionCommands = (program: Command, run: Run): void => {
  program
    .command('decide')
    .argument('[action]', 'one of --list')
    .argument('[resource]', 'default: the first resource that the action makes sense on')
    .option('--list', 'the actions and resources that this device decides on')
    .description('ask for a decision: allow, with the facts it was made of, or deny')
    .action(
      run(
        (
          { console, runDirectory },
          action: string | undefined,
          resource: string | undefined,
          { list }: { readonly list?: boolean },
        ) => {
          if (list === true || action === undefined) {
            console.print(actionNames.map((name) => `${name} on ${actions[name].resources.join(', ')}`).join('\n'), { actions });
            return list === true ? exitCodes.done : exitCodes.usage;
          }
          const target = resource ?? (Object.hasOwn(actions, action) ? actions[action as ActionName].resources[0] : 'device');
          return withDevice(runDirectory, async (device) => {
            const decided = await device.call('decision.authorize', { action, resource: target });
            if (!decided.ok) return console.refuse(decided.fault);
            const { isAllowed, code, reasons, facts, obligations } = decided.value;
            const known = facts.map(({ name, ageMs }) => `  fact ${name}, ${Math.round(ageMs / 1000)} s old`);
            const head = isAllowed ? `allow ${action} on ${target}` : `deny ${action} on ${target}: ${code}`;
            console.print([head, ...reasons.map((rule) => `  rule ${rule}`), ...known].join('\n'), {
              action,
              resource: target,
              isAllowed,
              code,
              rules: reasons,
              obligations,
              facts,
            });
            if (isAllowed) return exitCodes.done;
            const [category = '', reason = ''] = code.split('/');
            const fault = faultFrom(category, reason);
            console.say(`enigmctl explain ${codeOf(fault)} says what that means`);
            return exitCodeOf(fault);
          });
        },
      ),
    );
};
