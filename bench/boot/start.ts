/** One cold start, measured. */
import { unwrap } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { QemuDevice } from '#sim/qemu/device';
import { powerOn, type RunningMachine } from '#sim/qemu/machine';
import { phasesOf } from './phases.ts';
import { isHealthy, storyOf } from './story.ts';
import { watchUsage } from './usage.ts';

interface Share {
  readonly name: string;
  readonly cpuSeconds: number;
}

export interface Start {
  readonly phases: readonly Share[];
  /** As the guest counts them, until it was asked. */
  readonly programs: readonly Share[];
  /** Until it was healthy. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

const healthyWithinMs = 300_000;
/** Nobody looks at less. */
const leastCpuSeconds = 0.05;

/** Reads of a pipe that nobody writes to: a shell that waits so starts no process, which would be part of what is measured. */
const until = (condition: string): string =>
  `[ -p /run/wait ] || mkfifo /run/wait; until ${condition}; do read -r -t 1 nothing <> /run/wait; done`;

/** @param kind a `first` start ends with a device that is provisioned */
export const measureStart = async (device: QemuDevice, clock: Clock, kind: 'first' | 'next'): Promise<Start> => {
  const beganMs = clock.bootMs();
  await using machine = unwrap(await powerOn(device, { clock }));
  const usage = watchUsage(machine, clock);
  unwrap(await machine.until(/BdsDxe: starting/));
  const firmware = machine.cpuSeconds();
  unwrap(await machine.until(/\/ # /));
  unwrap(await machine.shell(until(isHealthy), healthyWithinMs));
  const story = unwrap(await storyOf(machine));
  const askedMs = clock.bootMs();
  await usage.stop();
  if (kind === 'first') await provision(machine);

  const hostMs = (seconds: number) => askedMs - (story.askedSeconds - seconds) * 1000;
  const ends = phasesOf(story).map(({ name, endSeconds }) => ({ name, endCpuSeconds: usage.until(hostMs(endSeconds)) }));
  const all = [
    { name: 'firmware', endCpuSeconds: firmware },
    { name: 'boot image read and measured, kernel unpacked', endCpuSeconds: usage.until(hostMs(0)) },
    ...ends,
  ];
  return {
    phases: all.map(({ name, endCpuSeconds }, at) => ({ name, cpuSeconds: endCpuSeconds - (all[at - 1]?.endCpuSeconds ?? 0) })),
    programs: story.programs.filter(({ name, cpuSeconds }) => name.startsWith('enigm-') && cpuSeconds > leastCpuSeconds),
    cpuSeconds: all.at(-1)?.endCpuSeconds ?? Number.NaN,
    wallSeconds: (hostMs(story.healthySeconds) - beganMs) / 1000,
  };
};

const provision = async (machine: RunningMachine): Promise<void> => {
  unwrap(
    await machine.shell('node --no-warnings /usr/lib/enigm/enigmctl.cjs --json provision --technician ada', healthyWithinMs),
  );
  const status = 'node --no-warnings /usr/lib/enigm/enigmctl.cjs --json status';
  unwrap(await machine.shell(`until ${status} | grep -q '"lifecycle":"unenrolled"'; do sleep 1; done`, healthyWithinMs));
  unwrap(await machine.shell('sync'));
};
