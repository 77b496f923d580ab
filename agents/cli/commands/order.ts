/** enigmctl order: what an administration ordered of the life of this device, in a file. It needs no network (SR-17). */
import type { Command } from 'commander';
import { lifecycleWords } from '#agents/posture/words';
import { answer } from '../console.ts';
import type { Run } from '../context.ts';
import { withDevice } from '../device.ts';
import { readGiven } from '../given-file.ts';

export const orderCommand = (program: Command, run: Run): void => {
  program
    .command('order')
    .argument('<file>', 'an order that two administrators signed: suspend this device, or resume it')
    .description('hand in an order of the administration, where Command cannot')
    .action(
      run(({ console, runDirectory }, file: string) => {
        const envelope = readGiven(file);
        if (!envelope.ok) return console.refuse(envelope.fault);
        return withDevice(runDirectory, async (device) =>
          answer(console, await device.call('device.order', { envelope: envelope.value }), (obeyed) => ({
            text: lifecycleWords(obeyed.lifecycle),
            json: obeyed,
          })),
        );
      }),
    );
};
