/** The health gate at every start, and after it the floor (SR-08): what is installed, and when, is asked for. */
import type { Agent } from '#agents/supervisor/agent';
import { codeOf } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { Updater } from './updater.ts';

/** Hands that restart are back by then; a trial that is left open longer than it must be can lose its power, and a try. */
const retryMs = 1_000;

/** The floor is looked at so often; where the hands say not yet, twice as late each time, since each call is in the audit log. */
const floorEveryMs = 60_000;
const mostFloorMs = 6 * 3_600_000;

export const trialAgent = (updater: Pick<Updater, 'endTrial' | 'raiseFloor'>, clock: Clock, log: Log): Agent<unknown> => ({
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
    for (let waitMs = floorEveryMs; ; ) {
      await clock.sleep(waitMs, signal);
      if (signal.aborted) return;
      const raised = await updater.raiseFloor();
      if (!raised.ok) log.warn('floor.kept', { code: codeOf(raised.fault) });
      else if (raised.value) log.info('floor.raised');
      waitMs = raised.ok ? floorEveryMs : Math.min(2 * waitMs, mostFloorMs);
    }
  },
});
