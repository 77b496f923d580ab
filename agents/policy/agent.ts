/** Puts what is managed in force again whenever the hands begin a new life: what only they remembered is gone by then. */
import type { MindParts } from '#agents/mind/parts';
import { type Agent, defineAgent } from '#agents/supervisor/agent';
import { equalBytes } from '#hal/core/bytes';
import type { Enforcer } from './enforcer.ts';

const everyMs = 1_000;

/** @param restoredFor the permit key of the life for which it was restored already */
export const policyAgent = (managed: Pick<Enforcer, 'restore'>, restoredFor: Uint8Array): Agent<MindParts> => {
  let permitKey = restoredFor;
  return defineAgent({
    name: 'policy',
    needs: ['clock', 'hands', 'log'],
    async run({ clock, hands, log }, signal) {
      while (!signal.aborted) {
        const hello = await hands.hello();
        if (hello.ok && !equalBytes(hello.value.permitKey, permitKey)) {
          permitKey = hello.value.permitKey;
          log.info('hands.new-life');
          await managed.restore();
        }
        await clock.sleep(everyMs, signal);
      }
    },
  });
};
