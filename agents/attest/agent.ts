/** Keeps a fresh result for our own relying party: renewed at half its life, retried with growing delay. */

import type { MindParts } from '#agents/mind/parts';
import { lifeMs, ownParty } from '#agents/mind/trust';
import { type Agent, defineAgent } from '#agents/supervisor/agent';
import { attestor, attestorNeeds } from './attestor.ts';

const firstRetryMs = 2_000;
const maxRetryMs = 5 * 60_000;
/** While nothing is due there is nothing to do but look again. */
const idleMs = 5_000;

export const attestAgent: Agent<MindParts> = defineAgent({
  name: 'attest',
  needs: attestorNeeds,
  async run(parts, signal) {
    const { clock, state, trust } = parts;
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      const held = trust.result(ownParty);
      // Whoever else asked the verifier and was refused: then this asks again, and does not wait for half a life.
      const isDue = held === undefined || trust.attestationFault() !== undefined;
      const dueInMs = isDue ? 0 : held.atBootMs + lifeMs(held.result) / 2 - clock.bootMs();
      if (state.current().lifecycle !== 'active') await clock.sleep(idleMs, signal);
      else if (dueInMs > 0) await clock.sleep(Math.min(dueInMs, idleMs), signal);
      else {
        const result = await attestor(parts).attest(ownParty);
        if (!result.ok) await clock.sleep(retryMs, signal);
        retryMs = result.ok ? firstRetryMs : Math.min(retryMs * 2, maxRetryMs);
      }
    }
  },
});
