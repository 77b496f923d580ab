/** What an administration may change, on a machine that is not there. */
import type { Clock } from '#hal/ports/clock';
import type { ManagedPorts } from '#hal/remote/managed-door';
import { memoryAppHost } from './app-host.ts';
import { memoryNetPolicy } from './net-policy.ts';
import { memorySwitches } from './switches.ts';

export const memoryManaged = (clock: Clock): Omit<ManagedPorts, 'floor'> => ({
  network: memoryNetPolicy(),
  switches: memorySwitches(),
  apps: memoryAppHost(clock),
});
