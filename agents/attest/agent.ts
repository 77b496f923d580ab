/** Keeps a fresh result for our own relying party: renewed at half its life, retried with growing delay. */

import type { MindParts } from '#agents/mind/parts';
import { lifeMs, ownParty } from '#agents/mind/trust';
import { type Agent, defineAgent } from '#agents/supervisor/agent';
import { attestor, attestorNeeds } from './attestor.ts';

const firstRetryMs = 2_000;
const maxRetryMs = 5 * 60_000;
/** While the device is not enrolled there is nothing to do but look again. */
const idleMs = 5_000;

export const attestAgent: Agent<MindParts> = defineAgent({
  name: 'attest',
  needs: attestorNeeds,
  async run(parts, signal) {
    const { clock, state, trust } = parts;
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      const held = trust.result(ownParty);
      const dueInMs = held === undefined ? 0 : held.atBootMs + lifeMs(held.result) / 2 - clock.bootMs();
      if (state.current().lifecycle !== 'active') await clock.sleep(idleMs, signal);
      else if (dueInMs > 0) await clock.sleep(dueInMs, signal);
      else {
        const result = await attestor(parts).attest(ownParty);
        if (!result.ok) await clock.sleep(retryMs, signal);
        retryMs = result.ok ? firstRetryMs : Math.min(retryMs * 2, maxRetryMs);
      }
    }
  },
});
