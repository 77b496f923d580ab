/** The page's side of the mind's read-only feed (SR-32): follows it, and finds it again when it was away. */
import type { FeedMethods } from '#agents/api/methods';
import { within } from '#hal/core/deadline';
import { codeOf, deny, done, type Fault, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { Client } from '#hal/remote/methods';
import type { Posture } from '#protos/gen/types';
import type { Board } from './board.ts';

export interface Feed {
  /** Follows until the signal aborts. */
  follow(signal: AbortSignal): Promise<void>;
  /** Asks for a measurement where the last one is getting old; somebody is looking. Never waits longer than `answerMs`. */
  renew(): Promise<void>;
}

export interface FeedParts {
  readonly client: Client<FeedMethods>;
  readonly board: Board;
  readonly clock: Clock;
  readonly log: Log;
}

export const firstDelayMs = 100;
export const maxDelayMs = 5_000;
/** Half of the shortest time for which any finding counts. */
export const renewAfterMs = 30_000;
const answerMs = 2_000;

export const feedOf = ({ client, board, clock, log }: FeedParts): Feed => {
  let isReachable: boolean | undefined;
  let renewing: Promise<void> | undefined;

  const lose = (fault: Fault) => {
    if (isReachable !== false) log.warn('feed.lost', { code: codeOf(fault) });
    isReachable = false;
    board.lose(fault);
  };
  const hold = async (posture: Posture): Promise<Result<void>> => {
    const status = await within(clock, answerMs, (signal) => client.call('device.status', {}, { signal }));
    if (!status.ok) return status;
    if (isReachable !== true) log.info('feed.found');
    isReachable = true;
    board.hold(posture, status.value.nextStep);
    return done;
  };

  /** A mind that does not answer in time is found out by the ages, which go on counting. */
  const measureNow = async (): Promise<void> => {
    await within(clock, answerMs, async (signal) => {
      const fresh = await client.call('posture.read', {}, { signal });
      return fresh.ok ? hold(fresh.value) : fresh;
    });
  };

  /** @returns why it ended, and whether it brought anything */
  const followOnce = async (signal: AbortSignal): Promise<{ readonly fault: Fault; readonly hasBrought: boolean }> => {
    let hasBrought = false;
    // A measurement of now first: what the mind holds may be old, and does not say how old.
    const fresh = await client.call('posture.read', {}, { signal });
    if (!fresh.ok) return { fault: fresh.fault, hasBrought };
    for await (const item of client.subscribe('posture.watch', {}, signal)) {
      const held = item.ok ? await hold(item.value) : item;
      if (!held.ok) return { fault: held.fault, hasBrought };
      hasBrought = true;
    }
    return { fault: deny('unavailable', 'program-down').fault, hasBrought };
  };

  return {
    async follow(signal) {
      for (let delayMs = firstDelayMs; !signal.aborted; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
        const { fault, hasBrought } = await followOnce(signal);
        if (signal.aborted) return;
        lose(fault);
        if (hasBrought) delayMs = firstDelayMs;
        await clock.sleep(delayMs, signal);
      }
    },
    async renew() {
      const ageMs = board.ageMs();
      if (ageMs === undefined || ageMs < renewAfterMs) return;
      renewing ??= measureNow().finally(() => {
        renewing = undefined;
      });
      await renewing;
    },
  };
};
