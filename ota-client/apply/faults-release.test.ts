/** Rows 44 to 47 and 49 of the fault table in docs/threat-model.md: which release may be installed. */
import { describe, expect, test } from 'vitest';
import { deny, unwrap } from '#hal/core/result';
import { type Offer, planUpdate, type Situation } from '../plan/update.ts';
import { revokeBelowFloor } from './floor.ts';
import { type MemoryMachine, newMachine } from './machine.fixture.ts';
import { hardware, newRelease, oldRelease, slotBytes } from './releases.fixture.ts';
import { refusal, run } from './run.fixture.ts';
import { expectSound, updateTo } from './update.fixture.ts';

describe('which release', () => {
  const situation = async (machine: MemoryMachine, changed: Partial<Situation> = {}): Promise<Situation> => ({
    view: unwrap(await machine.hands.switch.status()),
    ...{ floorEpoch: 1, hardware, slotBytes, isForced: false },
    gates: { isPowered: true, isCool: true },
    ...changed,
  });
  const plan = async (changed: Partial<Situation> = {}, offer: Partial<Offer> = {}) =>
    planUpdate({ ...newRelease.offer, ...offer }, await situation(await newMachine(), changed));

  test('the plan of a whole update', async () => {
    expect(unwrap(await plan())).toEqual([
      ...['write', 'read-back', 'arm', 'restart', 'health-gate', 'commit', 'soak', 'refresh-other', 'raise-floor'],
    ]);
    expect(unwrap(await plan({}, { floorEpoch: 1 })).at(-1)).toBe('commit');
  });

  test('row 44: another hardware class is refused before a byte is written', async () => {
    expect(refusal(await plan({ hardware: 'other-board' }))).toBe('policy/hardware-mismatch');
  });

  test('row 45: a lower counter is refused, forced or not; a window of counters is kept', async () => {
    expect(refusal(await plan({ isForced: true }, { counter: 0 }))).toBe('integrity/release-rollback');
    expect(refusal(await plan({}, { counter: 1 }))).toBe('integrity/release-rollback');
    expect(refusal(await plan({}, { requires: { minCounter: 2, maxCounter: 5 } }))).toBe('policy/other-release-first');
    expect(refusal(await plan({}, { requires: { minCounter: 0, maxCounter: 1 } }))).toBe('accepted');
    const machine = await newMachine();
    const older = { ...newRelease.order, release: { ...newRelease.facts, counter: 0 } };
    expect(refusal(await machine.hands.installer.begin({ ...older, isForced: true }))).toBe('integrity/release-rollback');
  });

  test('closed gates and small slots are named', async () => {
    const closed = await plan({ gates: { isPowered: false, isCool: false } });
    expect(closed).toMatchObject({ fault: { category: 'policy', reason: 'update-gate-closed', detail: 'isPowered, isCool' } });
    expect(refusal(await plan({ slotBytes: 1000 }))).toBe('resource/slot-too-small');
  });

  test('what runs committed, with its floor raised, is current', async () => {
    const machine = await newMachine();
    unwrap(await updateTo(machine, newRelease, oldRelease));
    expect(refusal(planUpdate(newRelease.offer, await situation(machine, { floorEpoch: 3 })))).toBe('policy/release-current');
    expect(unwrap(planUpdate(newRelease.offer, await situation(machine)))).toEqual(['soak', 'refresh-other', 'raise-floor']);
  });

  test('row 46: a fallback below the floor cannot come to be: the floor rises only after both slots stand on it', async () => {
    const machine = await newMachine();
    const epochs: number[] = [];
    const watched: MemoryMachine = Object.create(machine, {
      floor: {
        value: {
          read: machine.floor.read,
          raise: async (epoch: number) => {
            const view = unwrap(await machine.hands.switch.status());
            epochs.push(...Object.values(view.slots).map(({ release }) => release?.floorEpoch ?? 0));
            return machine.floor.raise(epoch);
          },
        },
      },
    });
    unwrap(await updateTo(watched, newRelease, oldRelease));
    expect(epochs).toEqual([3, 3, 3, 3]);
  });

  test('row 47: a floor that cannot be read: no install, no arming, no commit; the device runs, and the code says why', async () => {
    for (const reason of ['tpm-missing', 'tpm-failed'] as const) {
      let isGone = false;
      const machine = await newMachine({
        floor: (floor) => ({ ...floor, read: async () => (isGone ? deny('unavailable', reason) : floor.read()) }),
      });
      unwrap((await run(machine)).result);
      isGone = true;
      expect(refusal(await machine.hands.installer.begin(newRelease.order))).toBe(`unavailable/${reason}`);
      expect(refusal(await machine.hands.switch.arm(newRelease.envelope))).toBe(`unavailable/${reason}`);
      expect(unwrap(await machine.restart())).toBe('a');
    }
  });

  test('row 49: a release below the floor is refused by plan and by hands, and the fault says what is needed', async () => {
    const refused = await plan({ floorEpoch: 4 });
    expect(refused).toMatchObject({ fault: { category: 'integrity', reason: 'below-floor', detail: 'epoch 3 of 4' } });
    const machine = await newMachine();
    unwrap((await run(machine)).result);
    unwrap(await machine.floor.raise(4));
    expect(refusal(await machine.hands.installer.begin(newRelease.order))).toBe('integrity/below-floor');
    expect(refusal(await machine.hands.switch.arm(newRelease.envelope))).toBe('integrity/below-floor');
  });

  test('a fallback that the floor left behind is revoked, but never under a running slot that it left behind too', async () => {
    const machine = await newMachine();
    unwrap((await run(machine)).result);
    unwrap(await machine.hands.switch.arm(newRelease.envelope));
    unwrap(await machine.restart());
    unwrap(await machine.hands.switch.commit());
    unwrap(await machine.floor.raise(2));
    unwrap(await revokeBelowFloor(machine.hands.keeper, machine.floor));
    expect((await expectSound(machine)).slots.a).toMatchObject({ state: 'revoked' });
    const other = await newMachine();
    unwrap(await other.floor.raise(2));
    unwrap(await revokeBelowFloor(other.hands.keeper, other.floor));
    expect(unwrap(await other.hands.switch.status()).slots.b.state).toBe('superseded');
  });
});
