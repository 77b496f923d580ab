/** How far an update of a simulated machine has come when a fault of the table finds it. */
import { expect } from 'vitest';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import type { Fate } from '#hal/memory/power';
import { seededRandom } from '#hal/memory/random';
import { type HealthCheck, runTrial } from './health.ts';
import { install } from './install.ts';
import { type MemoryMachine, newMachine } from './machine.fixture.ts';
import { clock, newRelease, oldRelease } from './releases.fixture.ts';
import { runningImage } from './update.fixture.ts';

export const fates: readonly Fate[] = ['dropped', 'kept', 'torn'];
export const never = new AbortController().signal;
export const refusal = (result: Result<unknown>): string => (result.ok ? 'accepted' : codeOf(result.fault));

/** The new release into slot b, as far as it comes. */
export const write = async (machine: MemoryMachine, signal = never) => {
  const parts = {
    mirrors: [newRelease.fetch],
    installer: machine.hands.installer,
    clock,
    running: runningImage(machine, oldRelease),
  };
  return install(newRelease.order, newRelease.files, parts, signal);
};

/** An install that was told to stop after its third segment. */
export const interrupted = async (): Promise<MemoryMachine> => {
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

/** Slot b holds the new release, armed. */
export const armed = async (faulty = {}): Promise<MemoryMachine> => {
  const machine = await newMachine(faulty);
  unwrap(await write(machine));
  expect(unwrap(await machine.hands.switch.arm(newRelease.envelope))).toBe('trial');
  return machine;
};

/** Slot b runs the new release, on trial. */
export const onTrial = async (faulty = {}): Promise<MemoryMachine> => {
  const machine = await armed(faulty);
  expect(unwrap(await machine.restart())).toBe('b');
  return machine;
};

/** Cut at the `after`th operation from now, whatever runs. */
export const cutDuring = async (
  machine: MemoryMachine,
  after: number,
  fate: Fate,
  work: () => Promise<unknown>,
): Promise<void> => {
  machine.power.cut({ atOperation: machine.power.operations + after, fate, random: seededRandom(`${after} ${fate}`) });
  await work();
  expect(machine.power.isOn).toBe(false);
  machine.power.restore();
  machine.restartPrograms();
};

export const check = (name: string, kind: HealthCheck['kind'], hasPassed: () => boolean): HealthCheck => ({
  ...{ name, kind },
  run: async () => hasPassed(),
});
/** The health gate of a trial, until its time is over. */
export const gate = async (machine: MemoryMachine, checks: readonly HealthCheck[]) => {
  const clock = virtualClock();
  const ran = runTrial({ clock, checks, slots: machine.hands.switch, deadlineMs: 60_000, pauseMs: 1_000 }, never);
  await clock.advance(70_000);
  return ran;
};
