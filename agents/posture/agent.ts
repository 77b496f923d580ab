/** Measures the posture at an interval, so that what changes by itself is seen without being asked for. */

import type { MindParts } from '#agents/mind/parts';
import type { PostureKeeper } from '#agents/mind/posture-keeper';
import { type Agent, defineAgent } from '#agents/supervisor/agent';

export const postureAgent = (keeper: PostureKeeper, everyMs: () => number): Agent<MindParts> =>
  defineAgent({
    name: 'posture',
    needs: ['clock'],
    async run({ clock }, signal) {
      while (!signal.aborted) {
        await keeper.refresh();
        await clock.sleep(everyMs(), signal);
      }
    },
  });
