/** The time that expiry is held against (SR-16), for whoever refreshes a repository. */

import { builtMs } from '#agents/management/time';
import type { MindParts } from '#agents/mind/parts';
import { ownParty } from '#agents/mind/trust';
import { codeOf } from '#hal/core/result';
import type { TrustedTime } from '#ota-client/trust/time';
import type { Attestor } from './attestor.ts';

export interface ExpiryTime {
  /** As the mind knows it now. */
  present(): TrustedTime;
  /**
   * A mind that has just started, and knows no time in this boot, asks the verifier for it first; again, where nobody could
   * be asked: whatever restarted it may have restarted others.
   */
  asked(): Promise<TrustedTime>;
}

const tries = 4;
const pauseMs = 1_000;
const never = new AbortController().signal;

export const expiryTime = (
  { time, state, clock, log }: Pick<MindParts, 'time' | 'state' | 'clock' | 'log'>,
  attestor: Pick<Attestor, 'attest'>,
): ExpiryTime => {
  const present = (): TrustedTime => ({ nowMs: time.nowMs(), floorMs: state.current().lastSignedMs ?? builtMs });
  return {
    present,
    async asked() {
      const isWanted = () => time.nowMs() === undefined && state.current().lifecycle === 'active';
      for (let left = tries; left > 0 && isWanted(); left -= 1) {
        const asked = await attestor.attest(ownParty);
        if (asked.ok) break;
        log.warn('time.not-asked', { code: codeOf(asked.fault), cause: asked.fault.detail ?? '' });
        if (asked.fault.category === 'attestation') break;
        if (left > 1 && isWanted()) await clock.sleep(pauseMs, never);
      }
      return present();
    },
  };
};
