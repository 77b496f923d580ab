/** Rows 1 to 18 of the fault table in docs/threat-model.md, each by its number. Row 8, boot files, is the boot-file adapter's. */
import { describe, expect, test } from 'vitest';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import type { Fate } from '#hal/memory/power';
import { seededRandom } from '#hal/memory/random';
import { slotStates, slotTable } from '../slots/table.ts';
import { raiseFloor } from './floor.ts';
import { type HealthCheck, judgeHealth, runTrial } from './health.ts';
import { install } from './install.ts';
import {
  clock,
  expectSound,
  type Machine,
  newMachine,
  newRelease,
  oldRelease,
  runningImage,
  updateTo,
} from './machine.fixture.ts';

const fates: readonly Fate[] = ['dropped', 'kept', 'torn'];
const never = new AbortController().signal;
const refusal = (result: Result<unknown>): string => (result.ok ? 'accepted' : codeOf(result.fault));

const write = async (machine: Machine, signal = never) => {
  const parts = {
    mirrors: [newRelease.fetch],
    installer: machine.hands.installer,
    clock,
    running: runningImage(machine, oldRelease),
  };
  return install(newRelease.order, newRelease.files, parts, signal);
};

/** Slot b holds the new release, armed. */
const armed = async (faulty = {}): Promise<Machine> => {
  const machine = await newMachine(faulty);
  unwrap(await write(machine));
  expect(unwrap(await machine.hands.switch.arm(newRelease.envelope))).toBe('trial');
  return machine;
};

/** Slot b runs the new release, on trial. */
const onTrial = async (faulty = {}): Promise<Machine> => {
  const machine = await armed(faulty);
  expect(unwrap(await machine.restart())).toBe('b');
  return machine;
};

/** Cut at the `after`th operation from now, whatever runs. */
const cutDuring = async (machine: Machine, after: number, fate: Fate, work: () => Promise<unknown>): Promise<void> => {
  machine.power.cut({ atOperation: machine.power.operations + after, fate, random: seededRandom(`${after} ${fate}`) });
  await work();
  expect(machine.power.isOn).toBe(false);
  machine.power.restore();
  machine.restartPrograms();
};

const check = (name: string, kind: HealthCheck['kind'], hasPassed: () => boolean): HealthCheck => ({
  ...{ name, kind },
  run: async () => hasPassed(),
});
const gate = async (machine: Machine, checks: readonly HealthCheck[]) => {
  const clock = virtualClock();
  const ran = runTrial({ clock, checks, slots: machine.hands.switch, deadlineMs: 60_000, pauseMs: 1_000 }, never);
  await clock.advance(70_000);
  return ran;
};

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
  const interrupted = async (): Promise<Machine> => {
    const machine = await newMachine();
    const controller = new AbortController();
    const parts = {
      mirrors: [newRelease.fetch],
      installer: machine.hands.installer,
      clock,
      onProgress: ({ segment }: { segment: number }) => segment === 3 && controller.abort(),
    };
    expect(refusal(await install(newRelease.order, newRelease.files, parts, controller.signal))).toBe('unavailable/aborted');
    return machine;
  };

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

test('row 6: a flush that was acknowledged and not done: the journal leads the data, the recheck finds it', async () => {
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
  expect(machine.contentOf('b')?.name).toBe('r2');
});

test('row 6: what is lost before the last window is found by the whole read-back; the slot is not armed before it is mended', async () => {
  const machine = await newMachine();
  const controller = new AbortController();
  const parts = {
    mirrors: [newRelease.fetch],
    installer: machine.hands.installer,
    clock,
    onProgress: ({ segment }: { segment: number }) => segment === 3 && controller.abort(),
  };
  expect(refusal(await install(newRelease.order, newRelease.files, parts, controller.signal))).toBe('unavailable/aborted');
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

test('row 10: a cut during the first start of the trial costs one try', async () => {
  const machine = await onTrial();
  expect(unwrap(await machine.hands.switch.status()).slots.b).toMatchObject({ state: 'trial', triesLeft: 2 });
  expect(unwrap(await machine.restart())).toBe('b');
  expect(unwrap(await machine.hands.switch.status()).slots.b).toMatchObject({ state: 'trial', triesLeft: 1 });
});

describe('rows 11 and 12: a trial that is cut, panics or hangs three times', () => {
  const exhausted = async (): Promise<Machine> => {
    const machine = await armed();
    for (let start = 0; start < 3; start += 1) expect(unwrap(await machine.restart())).toBe('b');
    expect(unwrap(await machine.restart())).toBe('a');
    return machine;
  };

  test('falls back, and the release is marked failed', async () => {
    const machine = await exhausted();
    expect((await expectSound(machine)).slots).toMatchObject({
      a: { state: 'committed' },
      b: { state: 'failed', reason: 'tries-exhausted' },
    });
  });

  test('is not written again without force', async () => {
    const machine = await exhausted();
    expect(refusal(await write(machine))).toBe('policy/release-failed');
    const parts = { mirrors: [newRelease.fetch], installer: machine.hands.installer, clock };
    unwrap(await install({ ...newRelease.order, isForced: true }, newRelease.files, parts, never));
    expect(unwrap(await machine.hands.switch.arm(newRelease.envelope))).toBe('trial');
  });

  test('stays failed though the journal is cut while that is written down', async () => {
    for (const after of [1, 2]) {
      const machine = await exhausted();
      await cutDuring(machine, after, 'dropped', () => write(machine));
      expect(refusal(await write(machine))).toBe('policy/release-failed');
    }
  });

  test('the third start may still commit', async () => {
    const machine = await armed();
    for (let start = 0; start < 3; start += 1) unwrap(await machine.restart());
    expect(unwrap(await machine.hands.switch.status()).slots.b).toMatchObject({ state: 'trial', triesLeft: 0 });
    unwrap(await machine.hands.switch.commit());
    for (let start = 0; start < 5; start += 1) expect(unwrap(await machine.restart())).toBe('b');
  });
});

describe('the health gate (SR-13)', () => {
  test('row 13: a required check that fails: back to the old slot after the deadline, and the reason is kept', async () => {
    const machine = await onTrial();
    expect(unwrap(await gate(machine, [check('tpm', 'required', () => false)]))).toBe('given-up');
    expect(unwrap(await machine.restart())).toBe('a');
    expect((await expectSound(machine)).slots.b).toMatchObject({ state: 'failed', reason: 'tpm' });
  });

  test('a soft check that fails does not keep a good release from being committed', async () => {
    const machine = await onTrial();
    const checks = [check('agent', 'required', () => true), check('network', 'soft', () => false)];
    expect(unwrap(await gate(machine, checks))).toBe('committed');
  });

  test('row 14: a cut between health and commit: the trial starts again and commits', async () => {
    const machine = await onTrial();
    machine.restartPrograms();
    expect(unwrap(await machine.restart())).toBe('b');
    expect(unwrap(await gate(machine, [check('agent', 'required', () => true)]))).toBe('committed');
  });

  test('a check that hangs or throws has not passed', async () => {
    const machine = await onTrial();
    const hanging: HealthCheck = { name: 'launcher', kind: 'required', run: () => new Promise(() => undefined) };
    expect(unwrap(await gate(machine, [hanging]))).toBe('given-up');
    const other = await onTrial();
    const throwing: HealthCheck = { name: 'storage', kind: 'required', run: () => Promise.reject(new Error('EIO')) };
    expect(unwrap(await gate(other, [throwing]))).toBe('given-up');
  });

  test('a check that passes late commits then', async () => {
    const machine = await onTrial();
    let asked = 0;
    expect(unwrap(await gate(machine, [check('agent', 'required', () => ++asked > 5)]))).toBe('committed');
    expect(asked).toBe(6);
  });

  test('a fallback that had to start is committed by the same gate, and then the other slot can be written', async () => {
    const machine = await onTrial();
    unwrap(await machine.hands.switch.commit());
    // The firmware could not start b, although it is preferred.
    machine.setRunning({ slot: 'a', verityRoot: oldRelease.facts.verityRoot });
    machine.restartPrograms();
    const newer = { ...newRelease.order, release: { ...newRelease.facts, counter: 5 } };
    const { installer } = machine.hands;
    expect(refusal(await installer.begin(newer))).toBe('protocol/event-refused');
    expect(refusal(await gate(machine, [check('agent', 'required', () => false)]))).toBe('policy/health-missing');
    expect(unwrap(await gate(machine, [check('agent', 'required', () => true)]))).toBe('committed');
    expect(refusal(await installer.begin(newer))).toBe('accepted');
  });

  test('an interrupted gate decides nothing', async () => {
    const machine = await onTrial();
    const parts = { clock: virtualClock(), slots: machine.hands.switch, deadlineMs: 1, pauseMs: 1 };
    expect(unwrap(await runTrial({ ...parts, checks: [check('agent', 'required', () => true)] }, AbortSignal.abort()))).toBe(
      'interrupted',
    );
    await expect(runTrial({ ...parts, checks: [] }, never)).rejects.toThrow(/required check/);
  });

  test('waits until the deadline and judges by the required alone at it', () => {
    const soft = { name: 'network', kind: 'soft', hasPassed: false } as const;
    const required = { name: 'agent', kind: 'required', hasPassed: false } as const;
    expect(judgeHealth([soft], 99, 100)).toEqual({ next: 'wait' });
    expect(judgeHealth([soft], 100, 100)).toEqual({ next: 'commit' });
    expect(judgeHealth([soft, required], 99, 100)).toEqual({ next: 'wait' });
    expect(judgeHealth([soft, required], 100, 100)).toEqual({ next: 'give-up', reason: 'agent' });
    expect(judgeHealth([{ ...required, hasPassed: true }], 0, 100)).toEqual({ next: 'commit' });
  });
});

test('row 18: nothing that a server or a report says has an edge in the table (I6)', async () => {
  const events = new Set(slotStates.flatMap((state) => Object.keys(slotTable[state])));
  expect([...events].toSorted()).toEqual(
    [
      'arm',
      'commit',
      'damage',
      'exhaust',
      'floor-rise',
      'give-up',
      'keep',
      'other-commit',
      'read-back',
      'rewrite',
      'try',
    ].toSorted(),
  );
  const machine = await onTrial();
  unwrap(await machine.hands.switch.commit());
  // "Abort" after the commit: the fetch is called off, the owner leaves, the trial is said to have failed.
  expect(refusal(await write(machine, AbortSignal.abort()))).toBe('unavailable/aborted');
  await machine.hands.installer.abandon('agent');
  expect(refusal(await machine.hands.switch.giveUp('server-said-so'))).toBe('protocol/event-refused');
  expect((await expectSound(machine)).slots.b.state).toBe('committed');
});
