/** The health gate at every start, and nothing after it: what is installed, and when, is asked for. */
import type { Agent } from '#agents/supervisor/agent';
import { codeOf } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { Updater } from './updater.ts';

/** Hands that restart are back by then; a trial that is left open longer than it must be can lose its power, and a try. */
const retryMs = 1_000;

export const trialAgent = (updater: Pick<Updater, 'endTrial'>, clock: Clock, log: Log): Agent<unknown> => ({
  name: 'trial',
  async run(_, signal) {
    for (;;) {
      const ended = await updater.endTrial(signal);
      if (ended.ok) log.info('trial.ended', { outcome: ended.value });
      else log.warn('trial.open', { code: codeOf(ended.fault) });
      if (ended.ok && ended.value === 'committed') break;
      await clock.sleep(retryMs, signal);
      if (signal.aborted) return;
    }
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  },
});
