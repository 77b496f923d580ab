/** The network as the device sees it, so far: whether the one program that faces it is there, written down as it changes. */

import type { MindParts } from '#agents/mind/parts';
import { type Agent, defineAgent } from '#agents/supervisor/agent';
import { within } from '#hal/core/deadline';
import { deny, done } from '#hal/core/result';

const everyMs = 10_000;
const limitMs = 1_500;

export const networkAgent: Agent<MindParts> = defineAgent({
  name: 'network',
  needs: ['clock', 'link', 'audit'],
  async run({ clock, link, audit }, signal) {
    let before: boolean | undefined;
    while (!signal.aborted) {
      const asked = await within(clock, limitMs, async (callSignal) =>
        (await link.isAlive(callSignal)) ? done : deny('unavailable', 'program-down'),
      );
      if (asked.ok !== before && !signal.aborted)
        await audit.record({
          event: 'net.link',
          outcome: asked.ok ? 'done' : 'failed',
          ...(asked.ok ? {} : { fault: asked.fault }),
        });
      before = asked.ok;
      await clock.sleep(everyMs, signal);
    }
  },
});
