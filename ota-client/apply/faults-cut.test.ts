/** Rows 1 to 9 and 15 to 17 of the fault table in docs/threat-model.md, each by its number: cuts up to arming, in a commit, of a floor. */
import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import { check, cutDuring, fates, gate, interrupted, never, onTrial, refusal, write } from './faults.fixture.ts';
import { raiseFloor } from './floor.ts';
import { install } from './install.ts';
import { newMachine } from './machine.fixture.ts';
import { clock, newRelease, oldRelease } from './releases.fixture.ts';
import { expectSound, updateTo } from './update.fixture.ts';

/** Operations of an install, from the first: boot record (write, flush), journal (write, flush), then data. */
const firstData = 5;

describe.each(fates)('a cut, unflushed writes %s', (fate) => {
  test('row 1: before the slot is marked: nothing has changed, the old slot starts', async () => {
    const machine = await newMachine();
    await cutDuring(machine, 1, fate, () => write(machine));
    const { slots } = await expectSound(machine);
    // Kept, the mark itself survives; what lies in the slot is whole either way.
    expect(slots.b.state).toBe(fate === 'dropped' ? 'superseded' : slots.b.state);
    expect(machine.contentOf('b')?.name).toBe('r1');
    expect(unwrap(await machine.restart())).toBe('a');
  });

  test('row 2: after the mark, before data: the old slot starts, the update goes on', async () => {
    const machine = await newMachine();
    await cutDuring(machine, firstData, 'dropped', () => write(machine));
    const { slots } = await expectSound(machine);
    expect(slots.b).toMatchObject({ state: 'writing', writtenSegments: 0 });
    expect(unwrap(await machine.restart())).toBe('a');
    unwrap(await write(machine));
  });

  test.each([0, 1, 2, 3, 4, 5])(
    'rows 3 and 4: in the data, before the flush, before the journal: operation %d of the data',
    async (after) => {
      const machine = await newMachine();
      await cutDuring(machine, firstData + after, fate, () => write(machine));
      const { slots } = await expectSound(machine);
      expect(slots.b.state).toBe('writing');
      expect(unwrap(await machine.restart())).toBe('a');
      unwrap(await write(machine));
      expect(machine.contentOf('b')?.name).toBe('r2');
    },
  );

  test('row 7: while the hash tree is written: the slot stays unbootable, the tree is made again', async () => {
    const whole = await newMachine();
    const start = whole.power.operations;
    unwrap(await write(whole));
    const length = whole.power.operations - start;
    // From the end: journal (flush, write), flush, superblock, root block, two leaf blocks.
    for (const back of [2, 3, 4, 5, 6]) {
      const machine = await newMachine();
      await cutDuring(machine, length - back, fate, () => write(machine));
      expect((await expectSound(machine)).slots.b.state).toBe('writing');
      expect(refusal(await machine.hands.switch.arm(newRelease.envelope))).toBe('protocol/event-refused');
      unwrap(await write(machine));
      expect(machine.contentOf('b')?.name).toBe('r2');
    }
  });

  test.each([1, 2])('row 9: at arming, operation %d: old or trial, and both are good', async (after) => {
    const machine = await newMachine();
    unwrap(await write(machine));
    await cutDuring(machine, after, fate, () => machine.hands.switch.arm(newRelease.envelope));
    const { slots } = await expectSound(machine);
    expect(['verified', 'trial']).toContain(slots.b.state);
    expect(unwrap(await machine.restart())).toBe(slots.b.state === 'trial' ? 'b' : 'a');
  });

  test.each([1, 2])('row 15: inside the commit, operation %d: committed or trial, never neither', async (after) => {
    const machine = await onTrial();
    await cutDuring(machine, after, fate, () => machine.hands.switch.commit());
    const { slots } = await expectSound(machine);
    expect(['trial', 'committed']).toContain(slots.b.state);
    expect(unwrap(await machine.restart())).toBe('b');
    unwrap(await machine.hands.switch.commit());
    expect((await expectSound(machine)).slots).toMatchObject({ a: { state: 'superseded' }, b: { state: 'committed' } });
  });

  test('row 16: inside the fallback, twice: the old slot still starts', async () => {
    for (const first of [1, 2, 3, 4])
      for (const second of [1, 2, 3, 4]) {
        const machine = await onTrial();
        const giveUp = () => machine.hands.switch.giveUp('storage');
        await cutDuring(machine, first, fate, giveUp);
        machine.power.cut({ atOperation: machine.power.operations + second, fate, random: seededRandom(`${first}${second}`) });
        await giveUp();
        machine.power.restore();
        machine.restartPrograms();
        await expectSound(machine);
        // A start while the slot is half given up finishes that, whatever its health is now.
        const started = unwrap(await machine.restart());
        if (started === 'b') {
          const { state } = unwrap(await machine.hands.switch.status()).slots.b;
          const outcome = await gate(machine, [check('agent', 'required', () => state === 'failed')]);
          expect(unwrap(outcome)).toBe('given-up');
          expect(unwrap(await machine.restart())).toBe('a');
        }
        expect((await expectSound(machine)).slots.b).toMatchObject({ state: 'failed' });
      }
  });

  test('row 17: during the increments of the floor: lower, and finished at the next start', async () => {
    for (const after of [1, 2, 3, 4]) {
      const machine = await newMachine();
      unwrap(await updateTo(machine, newRelease, oldRelease));
      const restored = await newMachine();
      const raise = () => raiseFloor(restored.hands.keeper, restored.floor, { soakedMs: 1, neededMs: 1 });
      // Everything but the floor, which `updateTo` raises last.
      restored.power.cut({ atOperation: machine.power.operations - 4 + after, fate });
      await updateTo(restored, newRelease, oldRelease);
      restored.power.restore();
      restored.restartPrograms();
      expect(unwrap(await restored.floor.read())).toBeLessThanOrEqual(3);
      expect(unwrap(await restored.floor.read())).toBeGreaterThanOrEqual(1);
      await expectSound(restored);
      unwrap(await raise());
      expect(unwrap(await restored.floor.read())).toBe(3);
    }
  });
});

describe('the journal (row 5)', () => {
  test('with the newer copy torn, the older one is used', async () => {
    const machine = await interrupted();
    const before = unwrap(await machine.ledger.read()).b.writtenSegments;
    expect(before).toBe(3);
    const halves = [0, 4096].map((offset) => machine.media.journal.durable().subarray(offset, offset + 4096));
    const sequences = halves.map((half) => new DataView(half.buffer, half.byteOffset).getBigUint64(8));
    const newer = (sequences[0] ?? 0n) > (sequences[1] ?? 0n) ? 0 : 4096;
    machine.media.journal.load(new Uint8Array(40).fill(0xa5), newer + 60);
    expect(unwrap(await machine.ledger.read()).b.writtenSegments).toBe(2);
    unwrap(await write(machine));
    expect(machine.contentOf('b')?.name).toBe('r2');
  });

  test('with both copies torn, the install starts over and nothing is bricked', async () => {
    const machine = await interrupted();
    machine.media.journal.load(new Uint8Array(8192).fill(0xa5));
    expect(unwrap(await machine.hands.switch.status()).slots.b.state).toBe('empty');
    expect(unwrap(await machine.restart())).toBe('a');
    unwrap(await write(machine));
    expect(machine.contentOf('b')?.name).toBe('r2');
    expect(unwrap(await machine.hands.switch.arm(newRelease.envelope))).toBe('trial');
  });
});

test('row 6: a flush that was acknowledged and not done: the journal leads the data, the whole read-back finds it', async () => {
  const machine = await newMachine();
  const parts = {
    mirrors: [newRelease.fetch],
    installer: machine.hands.installer,
    clock,
    onProgress: ({ segment }: { segment: number }) => segment === 1 && machine.media.b.lieOnce(),
  };
  // The lie is about the first window: two segments, flush, journal (write, flush). The power fails at the next segment.
  await cutDuring(machine, firstData + 5, 'dropped', () => install(newRelease.order, newRelease.files, parts, never));
  expect(unwrap(await machine.ledger.read()).b.writtenSegments).toBe(2);
  expect(Buffer.compare(machine.media.b.durable(), machine.media.a.durable())).toBe(0);
  unwrap(await write(machine));
  expect(unwrap(await machine.ledger.read()).b.mismatches).toBe(1);
  expect(machine.contentOf('b')?.name).toBe('r2');
});

test('row 6: what is lost before the last window is found by the whole read-back; the slot is not armed before it is mended', async () => {
  const machine = await interrupted();
  machine.media.b.load(new Uint8Array(512).fill(0xee), 1000);
  const readBacks: unknown[] = [];
  const { installer } = machine.hands;
  const watching = {
    ...installer,
    finish: async () => {
      const finished = await installer.finish();
      readBacks.push(refusal(finished), refusal(await machine.hands.switch.arm(newRelease.envelope)));
      return finished;
    },
  };
  const again = { mirrors: [newRelease.fetch], installer: watching, clock };
  unwrap(await install(newRelease.order, newRelease.files, again, never));
  expect(readBacks).toEqual(['integrity/image-mismatch', 'protocol/event-refused', 'accepted', 'accepted']);
  expect(machine.contentOf('b')?.name).toBe('r2');
});

test('a slot that never becomes the image is given up after three read-backs', async () => {
  const wrong = { ...newRelease.order, release: { ...newRelease.facts, verityRoot: new Uint8Array(32) } };
  const machine = await newMachine();
  const parts = { mirrors: [newRelease.fetch], installer: machine.hands.installer, clock };
  expect(refusal(await install(wrong, newRelease.files, parts, never))).toBe('policy/release-failed');
  expect(unwrap(await machine.hands.switch.status()).slots.b).toMatchObject({ state: 'failed', reason: 'image-mismatch' });
});
