/** enigmctl alone, enrol, reboot, handles, session: the device as a whole. */
import type { Command } from 'commander';
import { headlineWords, levelWords, lifecycleWords, nextStepWords } from '#agents/posture/words';
import { toHex } from '#hal/core/bytes';
import { instantText } from '#hal/core/instant-text';
import { answer } from '../console.ts';
import type { Context, Run } from '../context.ts';
import { withDevice } from '../device.ts';
import { exitCodes } from '../exit-codes.ts';
import { readGiven } from '../given-file.ts';

/** One line of state, one line with the next step. */
export const printStatus = ({ console, runDirectory }: Context): Promise<number> =>
  withDevice(runDirectory, async (device) => {
    const status = await device.call('device.status', {});
    if (!status.ok && status.fault.reason === 'not-provisioned') {
      console.print('not provisioned\nnext: enigmctl provision', { lifecycle: 'unprovisioned', nextStep: 'provision' });
      return exitCodes.done;
    }
    if (!status.ok && status.fault.reason === 'program-down') {
      console.print(`no device answers in ${runDirectory}\nnext: start the device, or name its directory with --run`, {
        lifecycle: 'unreachable',
        nextStep: 'start',
      });
      return exitCodes.unreachable;
    }
    return answer(console, status, (value) => ({
      text: [
        `${lifecycleWords(value.lifecycle)}; level ${levelWords(value.level)}; ${headlineWords(value.headline)}; audit log ${value.auditState}, ${value.auditSize} records`,
        `next: ${nextStepWords(value.nextStep)}`,
      ].join('\n'),
      json: value,
    }));
  });

export const deviceCommands = (program: Command, run: Run): void => {
  program
    .command('status')
    .description('the same as enigmctl alone')
    .action(run((context) => printStatus(context)));

  program
    .command('enrol')
    .description('make this device known to its verifier: two round trips, a credential only its TPM can open, a first appraisal')
    .action(
      run(({ console, runDirectory }) =>
        withDevice(runDirectory, async (device) =>
          answer(console, await device.call('device.enrol', {}), (outcome) => ({
            text: `enrolled; the verifier finds this device ${outcome.status} (TPM class ${outcome.tpmClass})`,
            json: { ...outcome, handle: toHex(outcome.handle) },
          })),
        ),
      ),
    );

  program
    .command('reboot')
    .option('--cause <slug>', 'for the log', 'asked-by-user')
    .description('restart the device, if a decision allows it; the hands do it under a permit for exactly this')
    .action(
      run(({ console, runDirectory }, { cause }: { readonly cause: string }) =>
        withDevice(runDirectory, async (device) => {
          const decided = await device.call('device.reboot', { cause });
          if (decided.ok && !decided.value.isAllowed) {
            const [category = '', reason = ''] = decided.value.code.split('/');
            return console.refuse({ category: category as 'authorization', reason });
          }
          return answer(console, decided, () => ({ text: 'the device restarts', json: { isAllowed: true } }));
        }),
      ),
    );

  program
    .command('handles')
    .description('the pseudonyms of this device, one for each relying party and epoch')
    .action(
      run(({ console, runDirectory }) =>
        withDevice(runDirectory, async (device) =>
          answer(console, await device.call('handles.list', {}), ({ entries }) => ({
            text: entries
              .map(({ relyingParty, epoch, handle }) => `${relyingParty.padEnd(16)} epoch ${epoch}  ${toHex(handle)}`)
              .join('\n'),
            json: { handles: entries.map((entry) => ({ ...entry, handle: toHex(entry.handle) })) },
          })),
        ),
      ),
    );

  program
    .command('session')
    .argument('<type>', 'identity-assertion or session-statement')
    .argument('<file>', 'the signed envelope')
    .description('present a signed statement of the identity issuer or the account service')
    .action(
      run(({ console, runDirectory }, payloadType: string, file: string) =>
        withDevice(runDirectory, async (device) => {
          const envelope = readGiven(file);
          if (!envelope.ok) return console.refuse(envelope.fault);
          return answer(console, await device.call('session.present', { payloadType, envelope: envelope.value }), (outcome) => ({
            text: `${outcome.kind} accepted until ${instantText(outcome.expiresMs)}`,
            json: outcome,
          }));
        }),
      ),
    );
};
