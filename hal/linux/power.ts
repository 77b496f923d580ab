/** `Power` through the kernel's SysRq interface: sync, remount read-only, restart (admin-guide/sysrq). */
import { writeFileSync } from 'node:fs';
import { attempt, deny } from '#hal/core/result';
import type { Power } from '#hal/ports/power';

/** @param triggerPath `/proc/sysrq-trigger` */
export const sysrqPower = (triggerPath: string): Power => ({
  reboot: async () =>
    attempt(
      () => {
        for (const command of ['s', 'u', 'b']) writeFileSync(triggerPath, command);
      },
      (cause) => deny('unavailable', 'not-supported', cause),
    ),
});
