/** Active Defense, so far: which tensor engine works here, tested again and again. No model judges anything yet. */

import type { MindParts } from '#agents/mind/parts';
import { type Agent, defineAgent } from '#agents/supervisor/agent';
import { within } from '#hal/core/deadline';
import { codeOf } from '#hal/core/result';

const everyMs = 15 * 60_000;
const retryMs = 2_000;
const limitMs = 20_000;

export const defenseAgent: Agent<MindParts> = defineAgent({
  name: 'defense',
  needs: ['clock', 'inference', 'trust', 'audit', 'watchers', 'log'],
  async run({ clock, inference, trust, audit, watchers, log }, signal) {
    while (!signal.aborted) {
      const tested = await within(clock, limitMs, () => inference.selfTest());
      const before = trust.engine();
      const engine = tested.ok ? tested.value : undefined;
      trust.holdEngine({ value: engine, measuredBootMs: clock.bootMs() });
      if (!tested.ok) log.warn('engine.failed', { code: codeOf(tested.fault), detail: tested.fault.detail ?? '' });
      if (before === undefined || engine?.engine !== before.value?.engine)
        await audit.record({
          event: 'risk.engine',
          outcome: tested.ok ? 'done' : 'failed',
          ...(tested.ok ? {} : { fault: tested.fault }),
        });
      watchers.notify();
      await clock.sleep(tested.ok ? everyMs : retryMs, signal);
    }
  },
});
