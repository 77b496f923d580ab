/** What no adapter of this project can do on a real machine yet: refused by name, never pretended. */
import { deny, ok } from '#hal/core/result';
import type { AppHost } from '#hal/ports/app-host';
import type { Signals } from '#hal/ports/signals';
import type { Switches } from '#hal/ports/switches';
import type { UpdatePorts } from '#hal/ports/updater';

const refused = async () => deny('unavailable', 'not-supported');

/** No radio or sensor can be switched: the machine shows none. */
export const noSwitches: Switches = { set: refused, read: async () => ok(new Map()) };

/** No app is started by us. */
export const noAppHost: AppHost = { allow: refused, start: refused, block: refused, read: refused };

/** No system call is seen: a kernel that gives windows needs a program of its own inside (eBPF), which we have not. */
export const noSignals: Signals = { take: refused };

/** No slot is written: partitions and their boot loader come with the machine of its own (QEMU). */
export const noUpdates: UpdatePorts = {
  slotWriter: { begin: refused, write: refused, take: refused, flush: refused, finish: refused, abandon: refused },
  slotStarter: { arm: refused, commit: refused, rollBack: refused, giveUp: refused, raiseFloor: refused, status: refused },
  runningSystem: { read: refused, health: refused },
};
