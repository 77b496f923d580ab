/** Tends the audit log: folded denials, retention, an anchor at most every fifteen minutes. */

import type { MindParts } from '#agents/mind/parts';
import { type Agent, defineAgent } from '#agents/supervisor/agent';

const everyMs = 60_000;

export const auditAgent: Agent<MindParts> = defineAgent({
  name: 'audit',
  needs: ['clock', 'audit'],
  async run({ clock, audit }, signal) {
    while (!signal.aborted) {
      await clock.sleep(everyMs, signal);
      if (!signal.aborted) await audit.tend();
    }
  },
});
