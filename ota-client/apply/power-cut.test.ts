/**
 * The power is cut at every write and flush of a whole update: install, arm, trial, commit, refresh of the other slot,
 * floor. What was not flushed is dropped, kept or torn. Always a good slot starts, nothing wrong is committed, and not
 * more than one window is written again.
 *
 * SWEEP=full cuts the recovery at every operation too, for all pairs.
 */
import { describe, expect, test } from 'vitest';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import type { Cut, Fate } from '#hal/memory/power';
import { seededRandom } from '#hal/memory/random';
import { expectSound, type Machine, newMachine, newRelease, oldRelease, updateTo, windowSegments } from './machine.fixture.ts';

const seed = process.env['FUZZ_SEED'] ?? 'power-cut';
const isFull = process.env['SWEEP'] === 'full';
/** Second cuts for each first one, unless all are wanted. */
const sampledPairs = 1;
const fates: readonly Fate[] = ['dropped', 'kept', 'torn'];

/** Start and update; a refusal is the power that went. */
const live = async (machine: Machine): Promise<Result<number>> => {
  const started = await machine.restart();
  return started.ok ? updateTo(machine, newRelease, oldRelease) : started;
};

const expectUpdated = async (machine: Machine): Promise<void> => {
  const view = await expectSound(machine);
  expect([view.slots.a.state, view.slots.b.state].toSorted()).toEqual(['committed', 'superseded']);
  expect(machine.contentOf('a')?.name).toBe('r2');
  expect(machine.contentOf('b')?.name).toBe('r2');
  expect(unwrap(await machine.floor.read())).toBe(newRelease.facts.floorEpoch);
};

/** One life, cut; then the state that the next start finds. @returns whether the cut came before its end */
const cutLife = async (machine: Machine, cut: Cut): Promise<boolean> => {
  machine.power.cut(cut);
  const lived = await live(machine);
  const wasCut = !machine.power.isOn;
  machine.power.restore();
  if (!wasCut) {
    if (!lived.ok) expect(codeOf(lived.fault)).toBe('policy/release-failed');
    return false;
  }
  machine.restartPrograms();
  await expectSound(machine);
  return true;
};

const operationsOf = async (): Promise<{ first: number; last: number; segments: number }> => {
  const machine = await newMachine();
  const first = machine.power.operations + 1;
  const segments = unwrap(await live(machine));
  return { first, last: machine.power.operations, segments };
};

const cutAt = (atOperation: number, fate: Fate, name: string): Cut => ({
  ...{ atOperation, fate, sectorBytes: atOperation % 2 === 0 ? 512 : 4096 },
  random: seededRandom(`${seed} ${name} ${atOperation}`),
});

describe('an update that is not cut', () => {
  test('ends with the new release in both slots and the floor raised', async () => {
    const machine = await newMachine();
    unwrap(await live(machine));
    await expectUpdated(machine);
  });
});

describe(`a power cut at every operation (FUZZ_SEED=${seed})`, () => {
  test.each(fates)('with unflushed writes %s', async (fate) => {
    const { first, last, segments } = await operationsOf();
    expect(last - first).toBeGreaterThan(50);
    for (let atOperation = first; atOperation <= last; atOperation += 1) {
      const machine = await newMachine();
      const counted = countWrites(machine);
      expect(await cutLife(machine, cutAt(atOperation, fate, 'single')), `operation ${atOperation}`).toBe(true);
      unwrap(await live(machine));
      await expectUpdated(machine);
      expect(counted.segments - segments, `operation ${atOperation}`).toBeLessThanOrEqual(windowSegments);
    }
  });

  test(`and again in the recovery${isFull ? ', all pairs' : ''}`, async () => {
    const { first, last } = await operationsOf();
    const random = seededRandom(`${seed} twice`);
    const pick = (below: number) => new DataView(random.bytes(4).buffer).getUint32(0) % below;
    let recoveries = 0;
    for (let atOperation = first; atOperation <= last; atOperation += 1) {
      const fate = fates[pick(3)] ?? 'torn';
      const cutOnce = async () => {
        const machine = await newMachine();
        await cutLife(machine, cutAt(atOperation, fate, 'twice'));
        return machine;
      };
      const whole = await cutOnce();
      const start = whole.power.operations;
      unwrap(await live(whole));
      const length = whole.power.operations - start;
      const all = Array.from({ length }, (_, at) => start + 1 + at);
      const chosen = isFull ? all : Array.from({ length: Math.min(length, sampledPairs) }, () => start + 1 + pick(length));
      for (const again of chosen) {
        const machine = await cutOnce();
        expect(await cutLife(machine, cutAt(again, fates[pick(3)] ?? 'torn', 'again')), `${atOperation}, ${again}`).toBe(true);
        recoveries += 1;
        unwrap(await live(machine));
        await expectUpdated(machine);
      }
    }
    expect(recoveries).toBeGreaterThanOrEqual(last - first);
  }, 600_000);
});

/** Segments that reach the medium of a slot, over all lives. */
const countWrites = (machine: Machine) => {
  const counted = { segments: 0 };
  for (const name of ['a', 'b'] as const) {
    const medium = machine.media[name];
    const { write } = medium;
    Object.assign(medium, {
      write: (offsetBytes: number, bytes: Uint8Array) => {
        if (bytes.length > 4096 || offsetBytes % (256 * 1024) === 0) counted.segments += 1;
        return write.call(medium, offsetBytes, bytes);
      },
    });
  }
  return counted;
};

test('a machine that is cut again and again ends updated, or safe on the old release after three lost trials', async () => {
  const random = seededRandom(`${seed} often`);
  const outcomes = new Map<string, number>();
  for (let machines = 0; machines < 20; machines += 1) {
    const machine = await newMachine();
    let lives = 0;
    for (let isCut = true; isCut && lives < 200; lives += 1) {
      const later = machine.power.operations + 3 + ((random.bytes(1)[0] ?? 0) % 12);
      isCut = await cutLife(machine, { atOperation: later, fate: 'torn', random });
    }
    expect(lives).toBeGreaterThan(3);
    const lived = await live(machine);
    const outcome = lived.ok ? 'updated' : codeOf(lived.fault);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (lived.ok) await expectUpdated(machine);
    else expect((await expectSound(machine)).slots).toMatchObject({ a: { state: 'committed' }, b: { state: 'failed' } });
  }
  expect([...outcomes.keys()].filter((outcome) => outcome !== 'updated' && outcome !== 'policy/release-failed')).toEqual([]);
  expect(outcomes.get('updated')).toBeGreaterThan(0);
});
