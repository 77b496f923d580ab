/** What goes wrong between a program and what it asks for, drawn from a seed as long as the storm lasts. */
import { deny, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Exchange } from '#hal/ports/exchange';
import type { Chance } from './chance.ts';

export interface Weather {
  readonly clock: Clock;
  readonly draw: Chance;
  /** Whether anything is lost, late or refused by chance. */
  isStormy: boolean;
}

/** How a call ends: done and answered; never arrived; done, and the answer lost on its way back. */
const fates = ['lost', 'unanswered', ...Array.from({ length: 14 }, () => 'answered' as const)] as const;
const longestDelayMs = 120;
const never = new AbortController().signal;
const down = () => deny('unavailable', 'program-down');

/** Calls arrive in the order in which they were made, as on one socket. */
export const faultyExchange = (
  weather: Weather,
  isDown: () => boolean,
  serve: (body: Uint8Array) => Promise<Uint8Array>,
): Exchange => {
  let last: Promise<unknown> = Promise.resolve();
  return {
    post: (_, body) => {
      const fate = weather.isStormy ? weather.draw.pick(fates) : 'answered';
      const delayMs = weather.isStormy ? weather.draw.below(longestDelayMs) : 0;
      const answered = last.then(async (): Promise<Result<Uint8Array>> => {
        if (delayMs > 0) await weather.clock.sleep(delayMs, never);
        if (fate === 'lost' || isDown()) return down();
        const answer = await serve(body);
        return fate === 'unanswered' ? down() : ok(answer);
      });
      last = answered;
      return answered;
    },
  };
};

/** A write that fails once in a while: nothing of it was done. */
export const faultyWrite = ({ draw, isStormy }: Weather): Result<void> =>
  isStormy && draw.oneIn(15) ? deny('unavailable', 'storage-failed') : ok(undefined);
