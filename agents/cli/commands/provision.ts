/** enigmctl provision: make a new device ready, step by step, and leave with a signed receipt. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { FactoryMethods } from '#agents/hands/factory-methods';
import { openReceipt } from '#agents/hands/receipt';
import { toHex } from '#hal/core/bytes';
import { instantText } from '#hal/core/instant-text';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { attempt, deny, ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import type { SocketClient } from '#hal/remote/socket-client';
import type { ProvisionState, Receipt } from '#protos/gen/types';
import { answer, type Console } from '../console.ts';
import type { Run } from '../context.ts';
import { withFactory } from '../device.ts';
import { exitCodes } from '../exit-codes.ts';
import { readGiven } from '../given-file.ts';

interface ProvisionOptions {
  readonly technician: string;
  readonly dryRun?: boolean;
  readonly rehearse?: boolean;
  readonly receipt?: string;
}

const words: Readonly<Record<string, string>> = {
  'storage-root': 'storage root key in the TPM',
  'attestation-key': 'attestation key in the TPM: ECC P-256, endorsement hierarchy',
  'device-secret': 'device secret sealed by the TPM, and the audit counter it protects',
  'link-key': 'key of the TLS link, wrapped by the TPM',
  floor: 'floor of releases in the TPM, which only rises',
};

export const provisionCommands = (program: Command, run: Run): void => {
  program
    .command('provision')
    .option('--technician <pseudonym>', 'who does it: a slug, goes into the receipt', 'technician')
    .option('--dry-run', 'print what would be done, and do nothing')
    .option('--rehearse', 'do it all on a simulated device that is thrown away')
    .option('--receipt <file>', 'where the signed receipt of the visit goes')
    .description('make a new device ready; a visit that was cut goes on where it stopped')
    .action(
      run(({ console, runDirectory }, options: ProvisionOptions) =>
        options.rehearse === true
          ? rehearse(console, options)
          : withFactory(runDirectory, (factory) => provision(console, factory, options)),
      ),
    );

  program
    .command('receipt')
    .argument('<file>', 'a receipt that enigmctl provision wrote')
    .description('check the receipt of a visit; needs no device')
    .action(
      run(({ console }, file: string) => {
        const bytes = readGiven(file);
        const receipt = bytes.ok ? decodeMessage('Receipt', bytes.value) : bytes;
        const opened = receipt.ok ? openReceipt(nodeCrypto, receipt.value.envelope, receipt.value.key) : receipt;
        return answer(console, opened, (visit) => ({
          text: `signed by the device's report key\n  by ${visit.technician} on ${instantText(visit.finishedMs)}\n  ${visit.steps.join(', ')}\n  attestation key ${toHex(visit.attestationName)}`,
          json: { ...visit, endorsementName: toHex(visit.endorsementName), attestationName: toHex(visit.attestationName) },
        }));
      }),
    );
};

const provision = async (console: Console, factory: SocketClient<FactoryMethods>, options: ProvisionOptions): Promise<number> => {
  const state = await factory.call('provision.inspect', {});
  if (!state.ok && state.fault.reason === 'program-down')
    return console.refuse({
      category: 'unavailable',
      reason: 'already-provisioned',
      detail: 'no factory door here: the device is provisioned, or does not run',
    });
  if (!state.ok) return console.refuse(state.fault);
  if (state.value.isComplete) return console.refuse({ category: 'unavailable', reason: 'already-provisioned' });
  if (options.dryRun === true) {
    console.print(planText(state.value), { steps: state.value.steps });
    return exitCodes.done;
  }
  for (const { name, isDone } of state.value.steps) {
    console.say(isDone ? `  kept  ${words[name] ?? name}` : `  ...   ${words[name] ?? name}`);
    const ran = isDone ? ok({}) : await factory.call('provision.run', { step: name });
    if (!ran.ok) {
      console.say('  cut; the next enigmctl provision goes on from here');
      return console.refuse(ran.fault);
    }
    if (!isDone) console.say(`  done  ${words[name] ?? name}`);
  }
  const finished = await factory.call('provision.finish', { technician: options.technician });
  const saved = finished.ok ? saveReceipt(finished.value, options.receipt) : finished;
  return answer(console, saved, (receipt) => {
    const visit = openReceipt(nodeCrypto, receipt.envelope, receipt.key);
    const attestationKey = visit.ok ? toHex(visit.value.attestationName) : '';
    return {
      text: `provisioned; attestation key ${attestationKey}${options.receipt === undefined ? '' : `; receipt in ${options.receipt}`}`,
      json: {
        isProvisioned: true,
        steps: state.value.steps.map(({ name }) => name),
        attestationKey,
        ...(options.receipt === undefined ? {} : { receipt: options.receipt }),
      },
    };
  });
};

const planText = ({ steps }: ProvisionState): string =>
  [
    'would make, in this order:',
    ...steps.map(({ name, isDone }) => `  ${words[name] ?? name}${isDone ? ' (is there: kept)' : ''}`),
    '  signed receipt of the visit',
  ].join('\n');

const saveReceipt = (receipt: Receipt, file: string | undefined): Result<Receipt> => {
  if (file === undefined) return ok(receipt);
  return attempt(
    () => {
      writeFileSync(file, encodeMessage('Receipt', receipt), { mode: 0o644 });
      return receipt;
    },
    (cause) => deny('protocol', 'file-unreadable', cause),
  );
};

/** The simulator is a program of its own, never a part of this one (SR-04): it is started, if it is here. */
const rehearse = (console: Console, { technician }: ProvisionOptions): number => {
  const simulator = process.env['ENIGM_SIM'];
  if (simulator === undefined)
    return console.refuse({
      category: 'unavailable',
      reason: 'not-supported',
      detail: 'no simulator here: ENIGM_SIM names none',
    });
  const { status } = spawnSync(simulator, ['rehearse', '--technician', technician, ...(console.isJson ? ['--json'] : [])], {
    stdio: 'inherit',
  });
  return status ?? exitCodes.failed;
};
