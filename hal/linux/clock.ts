/** The clock of a Linux machine. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '#hal/ports/clock';

/** `/proc/uptime` is CLOCK_BOOTTIME (proc(5)), with a resolution of 10 ms; Node's own clocks stop during suspend. */
export const linuxClock = (): Clock => ({
  nowMs: () => Date.now(),
  bootMs: () => Math.round(Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 1000),
  sleep: async (durationMs, signal) => {
    await delay(durationMs, undefined, { signal }).catch(() => undefined);
  },
});
