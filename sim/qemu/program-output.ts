/** What the programs of a machine write: records of its kernel's log, each once. */
import { ok, type Result } from '#hal/core/result';
import type { RunningMachine } from './machine.ts';

/** The kernel no longer drops records of whoever writes many: somebody looks. */
export const hearPrograms = (machine: RunningMachine): Promise<Result<string>> =>
  machine.shell('echo on > /proc/sys/kernel/printk_devkmsg; busybox dmesg -c > /dev/null');

/** @returns lines of JSON that came since this was asked before */
export const programOutput = async (machine: RunningMachine): Promise<Result<readonly string[]>> => {
  const said = await machine.shell('busybox dmesg -c');
  if (!said.ok) return said;
  return ok(said.value.split('\n').flatMap((line) => /^\[ *\d+\.\d+\] (\{.*\})$/.exec(line)?.[1] ?? []));
};
