/** Faults of order that the sweep must find, planted one at a time by wrapping media and ports. */
import { describe, expect, test } from 'vitest';
import { done, type Result } from '#hal/core/result';
import { blockPool } from '#hal/memory/block-pool';
import { seededRandom } from '#hal/memory/random';
import type { BlockDevice } from '#hal/ports/block-device';
import type { Slots } from '#hal/ports/slots';
import type { SlotEntry } from '../slots/ledger.ts';
import { type BoardName, board, type SweptPorts, type Wrapping } from './board.fixture.ts';
import { stories } from './stories.fixture.ts';
import { emptyTally, sweep } from './sweep.fixture.ts';

interface Planted {
  readonly name: string;
  readonly wrapping: () => Wrapping;
  /** What the sweep says. */
  readonly found: RegExp;
  readonly story?: string;
  readonly boardName?: BoardName;
}

const withFlush = (slots: Slots, flush: (device: BlockDevice) => Promise<Result<void>>): Slots => ({
  async open(slot, access) {
    const opened = await slots.open(slot, access);
    if (!opened.ok) return opened;
    const device = opened.value;
    return { ok: true, value: { ...device, flush: () => flush(device) } };
  },
});

/** Flushes of slots are owed until the ledger was written. */
const journalFirst = (isOwed: (entry: SlotEntry) => boolean) => (): Wrapping => ({
  ports(ports: SweptPorts): SweptPorts {
    let owed: BlockDevice | undefined;
    return {
      ...ports,
      slots: withFlush(ports.slots, async (device) => {
        owed = device;
        return done;
      }),
      ledger: {
        ...ports.ledger,
        async write(ledger) {
          const isLate = isOwed(ledger.b);
          if (!isLate) await owed?.flush();
          const written = await ports.ledger.write(ledger);
          await owed?.flush();
          owed = undefined;
          return written;
        },
      },
    };
  },
});

const lyingFlush = (lies: string, isDue: (flushes: number) => boolean) => (): Wrapping => ({
  device(device, medium) {
    let flushes = 0;
    return medium !== lies ? device : { ...device, flush: async () => (isDue(++flushes) ? done : device.flush()) };
  },
});

const raiseAround = (when: 'before' | 'after') => (): Wrapping => ({
  ports: (ports) => ({
    ...ports,
    control(running) {
      const control = ports.control(running);
      return {
        ...control,
        async commit(slot) {
          if (when === 'before') await ports.floor.raise(2);
          const committed = await control.commit(slot);
          if (when === 'after') await ports.floor.raise(2);
          return committed;
        },
      };
    },
  }),
});

const planted: readonly Planted[] = [
  {
    ...{ name: 'the journal is written before the data is flushed', wrapping: journalFirst(() => true) },
    found: /journal: b does not hold the \d segments that are written down/,
  },
  {
    name: 'a slot is written down as verified before its hash tree is flushed',
    ...{
      wrapping: journalFirst(({ content }) => content === 'verified'),
      found: /I5: b is verified and does not hold its release/,
    },
  },
  {
    ...{ name: 'the floor rises before the commit', wrapping: raiseAround('before') },
    found: /I1: no good slot at or above the floor|SR-08: a stands on 1, the floor is at 2/,
  },
  {
    ...{ name: 'the floor rises before the fallback was written anew', wrapping: raiseAround('after') },
    found: /SR-08: a stands on 1, the floor is at 2/,
  },
  {
    name: 'the boot record is not flushed before the slot is written',
    ...{ wrapping: lyingFlush('boot', (flushes) => flushes > 1), found: /I5: b is superseded and does not hold its release/ },
  },
  {
    name: 'the journal is not flushed before the slot is written',
    ...{ wrapping: lyingFlush('journal', (flushes) => flushes > 1), found: /I5: b is verified and does not hold its release/ },
  },
  {
    name: 'a record is believed that a killed program did not flush',
    ...{ wrapping: lyingFlush('boot', (flushes) => flushes === 1), found: /killed;.*I5: b is superseded and does not hold/ },
  },
  {
    name: 'the journal has one copy',
    wrapping: () => ({
      device: (device, medium) =>
        medium !== 'journal'
          ? device
          : {
              ...device,
              read: (offsetBytes: number, lengthBytes: number) => device.read(offsetBytes % lengthBytes, lengthBytes),
              write: (offsetBytes: number, bytes: Uint8Array) => device.write(offsetBytes % bytes.length, bytes),
            },
    }),
    found: /I1: no good slot at or above the floor/,
  },
];

describe('the sweep finds', () => {
  test.each(planted)('$name', async ({ name, wrapping, found, story = 'delta', boardName = 'record' }) => {
    const tally = emptyTally();
    const about = stories.find((one) => one.name === story);
    if (about === undefined) throw new Error(`no story ${story}`);
    const options = { random: seededRandom(name), cuts: 2, tornPerCut: 4 };
    await expect(sweep(board(boardName, blockPool(), wrapping()), about, options, tally)).rejects.toThrow(found);
    process.stderr.write(`${name}: found by check ${tally.checks + 1}\n`);
  });

  test('nothing where nothing is planted, in as many checks', async () => {
    const tally = emptyTally();
    for (const story of stories.slice(0, 1))
      await sweep(board('record', blockPool()), story, { random: seededRandom('none'), cuts: 1, tornPerCut: 4 }, tally);
    expect(tally.checks).toBeGreaterThan(100);
  });
});
