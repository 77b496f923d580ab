/** `Power` through the kernel's SysRq interface: sync, remount read-only, restart (admin-guide/sysrq). */
import { writeFileSync } from 'node:fs';
import { attempt, deny } from '#hal/core/result';
import type { Power } from '#hal/ports/power';

const failed = (cause: string) => deny('unavailable', 'not-supported', cause);

/**
 * @param triggerPath `/proc/sysrq-trigger`
 * @param pause between the answer and the restart; without one nobody hears the answer
 */
export const sysrqPower = (triggerPath: string, pause?: () => Promise<void>): Power => {
  const trigger = (...commands: readonly string[]): void => {
    for (const command of commands) writeFileSync(triggerPath, command);
  };
  return {
    reboot: async () =>
      attempt(() => {
        trigger('s');
        if (pause === undefined) trigger('u', 'b');
        else void pause().then(() => attempt(() => trigger('u', 'b'), failed));
      }, failed),
  };
};
