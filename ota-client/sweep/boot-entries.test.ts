/**
 * Row 8 of the fault table in docs/threat-model.md, as our boot files are: an image on a partition of its own, and an entry
 * of the firmware that points to it. `sim/qemu/boot-control.machine.test.ts` has real firmware.
 */
import { expect, test } from 'vitest';
import { bootVariable, decodeBootOrder } from '#hal/core/efi-load-option';
import { entryNumbers, trialVariable } from '#hal/linux/efi-boot-control';
import { blockPool } from '#hal/memory/block-pool';
import { powerStates } from '#hal/memory/power-states';
import { seededRandom } from '#hal/memory/random';
import { recordedMedia } from '#hal/memory/recorded-media';
import { slotNames } from '#hal/ports/slots';
import { board, layout } from './board.fixture.ts';
import { live } from './life.fixture.ts';
import { stories } from './stories.fixture.ts';

test('row 8: a cut at any write of a boot entry leaves the old one intact and in its place; what is left over is cleaned', async () => {
  const pool = blockPool();
  const efi = board('efi', pool);
  const [story] = stories;
  if (story === undefined) throw new Error('no story');
  const start = await story.start(efi);
  const { operations } = await live(efi, story, start);
  const entryOf = (media: ReturnType<typeof recordedMedia>, slot: 'a' | 'b') => [
    ...media.readRegister(bootVariable(entryNumbers[slot])),
  ];
  const first = recordedMedia(layout, pool, start.media);
  const entries = { a: entryOf(first, 'a'), b: entryOf(first, 'b') };
  expect(entries.a.length).toBeGreaterThan(50);
  let cuts = 0;
  for (const state of powerStates(start.media, operations, { pool, random: seededRandom('entries'), tornPerCut: 1 })) {
    const media = recordedMedia(layout, pool, state);
    const order = decodeBootOrder(media.readRegister('BootOrder'));
    const startable = slotNames.filter((slot) => order.includes(entryNumbers[slot]));
    expect(startable.length, `operation ${state.atOperation}`).toBeGreaterThan(0);
    for (const slot of startable) expect(entryOf(media, slot)).toEqual(entries[slot]);
    cuts += 1;
  }
  expect(cuts).toBeGreaterThan(100);
  const whole = recordedMedia(layout, pool, start.media);
  for (const operation of operations) if (operation.kind === 'register') whole.seen[operation.cell] = operation.number;
  for (const leftOver of ['BootNext', trialVariable.name]) expect([...whole.readRegister(leftOver)]).toEqual([]);
});
