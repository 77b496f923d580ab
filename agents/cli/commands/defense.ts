/** enigmctl defense: what our own model and the intelligence service say of this device now. */
import type { Command } from 'commander';
import { toHex } from '#hal/core/bytes';
import { instantText } from '#hal/core/instant-text';
import type { DefenseStatus, OutcomeEntry } from '#protos/gen/types';
import { answer } from '../console.ts';
import type { Run } from '../context.ts';
import { withDevice } from '../device.ts';
import { readGiven } from '../given-file.ts';

export const defenseCommands = (program: Command, run: Run): void => {
  const defense = program.command('defense').description('Active Defense: what was judged, by which model, until when');
  defense
    .command('status', { isDefault: true })
    .description('look now: category, how sure, what to do; outcomes that count')
    .action(
      run(({ console, runDirectory }) =>
        withDevice(runDirectory, async (device) =>
          answer(console, await device.call('defense.status', {}), (status) => ({
            text: textOf(status),
            json: { ...status, model: toHex(status.model) },
          })),
        ),
      ),
    );
  defense
    .command('present')
    .argument('<file>', 'a signed outcome of the intelligence service')
    .description('hand an outcome in, as the Enigm App does')
    .action(
      run(({ console, runDirectory }, file: string) => {
        const envelope = readGiven(file);
        if (!envelope.ok) return console.refuse(envelope.fault);
        return withDevice(runDirectory, async (device) =>
          answer(console, await device.call('intelligence.present', { envelope: envelope.value }), (outcome) => ({
            text: outcomeLine(outcome),
            json: outcome,
          })),
        );
      }),
    );
};

const textOf = ({ engine, category, band, score, guidance, opinion, modelVersion, outcomes }: DefenseStatus): string =>
  [
    category === undefined
      ? 'this machine shows no system calls: nothing is judged'
      : `${category} (${score} of 100, ${band}); do: ${guidance}; second opinion: ${opinion}`,
    `model ${modelVersion}; engine ${engine === undefined ? 'none' : `${engine.engine} ${engine.version}`}`,
    ...outcomes.map(outcomeLine),
  ].join('\n');

const outcomeLine = ({ category, band, app, isBlock, expiresMs }: OutcomeEntry): string =>
  `outcome ${category} (${band}) about ${app ?? 'the device'}${isBlock ? ', blocked' : ''}, until ${instantText(expiresMs)}`;
