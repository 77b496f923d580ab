/** enigmctl attest: boot logs read offline, and attestation now. */
import { readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { describeEventLog } from '#attestation/eventlog/describe';
import { maxLogBytes } from '#attestation/eventlog/parse';
import { toHex } from '#hal/core/bytes';
import { attempt, deny, type Result } from '#hal/core/result';
import { answer } from '../console.ts';
import type { Run } from '../context.ts';
import { withDevice } from '../device.ts';

export const attestCommands = (program: Command, run: Run): void => {
  const attest = program.command('attest').description('boot logs, and attestation to the verifier');

  attest
    .command('eventlog')
    .argument('<file>', 'a TCG event log, as the kernel shows it in binary_bios_measurements')
    .description('replay a boot log: its algorithms, its events, the registers it leads to')
    .action(
      run(({ console }, file: string) => {
        const described = readLog(file);
        return answer(console, described.ok ? describeEventLog(described.value) : described, (log) => ({
          text: logText(log),
          json: log,
        }));
      }),
    );

  attest
    .command('now')
    .option('--relying-party <name>', 'for whom the result shall be', 'account')
    .description('answer a fresh challenge of the verifier')
    .action(
      run(({ console, runDirectory }, { relyingParty }: { readonly relyingParty: string }) =>
        withDevice(runDirectory, async (device) =>
          answer(console, await device.call('device.attest', { relyingParty }), (outcome) => {
            const json = { ...outcome, handle: toHex(outcome.handle) };
            return {
              text: `${outcome.status} (TPM class ${outcome.tpmClass}) for ${relyingParty}, handle ${json.handle}, until ${new Date(outcome.expiresMs).toISOString()}`,
              json,
            };
          }),
        ),
      ),
    );
};

const readLog = (file: string): Result<Uint8Array> => {
  const unreadable = (cause: string) => deny('protocol', 'file-unreadable', cause);
  const size = attempt(() => statSync(file).size, unreadable);
  if (!size.ok) return size;
  if (size.value > maxLogBytes) return deny('attestation', 'log-malformed', `${size.value} bytes, ${maxLogBytes} at most`);
  return attempt(() => new Uint8Array(readFileSync(file)), unreadable);
};

const logText = ({
  algorithms,
  events,
  pcrs,
}: {
  readonly algorithms: readonly string[];
  readonly events: number;
  readonly pcrs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}): string =>
  [
    `${events} events, ${algorithms.join(', ')}`,
    ...Object.entries(pcrs).flatMap(([bank, values]) => [
      bank,
      ...Object.entries(values).map(([pcr, value]) => `  ${pcr.padStart(2)}  ${value}`),
    ]),
  ].join('\n');
