/** Rows 10 to 14 and 18 of the fault table in docs/threat-model.md, each by its number: a trial, its health gate, its end. */
import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import { slotStates, slotTable } from '../slots/table.ts';
import { armed, check, cutDuring, gate, never, onTrial, refusal, write } from './faults.fixture.ts';
import { type HealthCheck, judgeHealth, runTrial } from './health.ts';
import { install } from './install.ts';
import type { MemoryMachine } from './machine.fixture.ts';
import { clock, newRelease, oldRelease } from './releases.fixture.ts';
import { expectSound } from './update.fixture.ts';

test('row 10: a cut during the first start of the trial costs one try', async () => {
  const machine = await onTrial();
  expect(unwrap(await machine.hands.switch.status()).slots.b).toMatchObject({ state: 'trial', triesLeft: 2 });
  expect(unwrap(await machine.restart())).toBe('b');
  expect(unwrap(await machine.hands.switch.status()).slots.b).toMatchObject({ state: 'trial', triesLeft: 1 });
});

describe('rows 11 and 12: a trial that is cut, panics or hangs three times', () => {
  const exhausted = async (): Promise<MemoryMachine> => {
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

  test('what a person and the gate ask for at once is done once, and neither is refused', async () => {
    const machine = await onTrial();
    const { commit } = machine.hands.switch;
    expect((await Promise.all([commit(), commit()])).map(refusal)).toEqual(['accepted', 'accepted']);
    expect((await expectSound(machine)).slots).toMatchObject({ a: { state: 'superseded' }, b: { state: 'committed' } });
    const other = await onTrial();
    const outcomes = await Promise.all([other.hands.switch.commit(), other.hands.switch.giveUp('tpm')]);
    expect(outcomes.map(refusal)).toEqual(['accepted', 'protocol/event-refused']);
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

  test('a release that the device fell back from is written anew when it is offered again, whatever lies there', async () => {
    const machine = await onTrial();
    unwrap(await machine.hands.switch.commit());
    machine.media.b.load(new Uint8Array(512).fill(0xee));
    machine.setRunning({ slot: 'a', verityRoot: oldRelease.facts.verityRoot });
    machine.restartPrograms();
    unwrap(await machine.hands.switch.commit());
    expect(await machine.hands.switch.status()).toMatchObject({ value: { slots: { b: { state: 'superseded' } } } });
    unwrap(await write(machine));
    expect(machine.contentOf('b')?.name).toBe('r2');
    expect(unwrap(await machine.hands.switch.arm(newRelease.envelope))).toBe('trial');
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
      'return',
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
