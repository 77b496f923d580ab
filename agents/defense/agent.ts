/** Active Defense at work: looks again and again, keeps blocks in force, tests the tensor engine now and then. */

import type { MindParts } from '#agents/mind/parts';
import { type Agent, defineAgent } from '#agents/supervisor/agent';
import type { Defense } from './defense.ts';

const lookEveryMs = 5_000;
/** Often: where nothing was judged yet, that the engine works is all that decisions know of risk. */
const testEveryMs = 15_000;
const retryMs = 2_000;

export const defenseAgent = (defense: Defense): Agent<MindParts> =>
  defineAgent({
    name: 'defense',
    needs: ['clock'],
    async run({ clock }, signal) {
      let testAtMs = clock.bootMs();
      while (!signal.aborted) {
        if (clock.bootMs() >= testAtMs) testAtMs = clock.bootMs() + ((await defense.testEngine()) ? testEveryMs : retryMs);
        await defense.look();
        await defense.outcomes.enforce();
        await clock.sleep(Math.min(lookEveryMs, Math.max(0, testAtMs - clock.bootMs())), signal);
      }
    },
  });
