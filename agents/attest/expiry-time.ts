/** The time that expiry is held against (SR-16), for whoever refreshes a repository. */

import { builtMs } from '#agents/management/time';
import type { MindParts } from '#agents/mind/parts';
import { ownParty } from '#agents/mind/trust';
import type { TrustedTime } from '#ota-client/trust/time';
import type { Attestor } from './attestor.ts';

export interface ExpiryTime {
  /** As the mind knows it now. */
  present(): TrustedTime;
  /** A mind that has just started, and knows no time in this boot, asks the verifier for it first. */
  asked(): Promise<TrustedTime>;
}

export const expiryTime = (
  { time, state }: Pick<MindParts, 'time' | 'state'>,
  attestor: Pick<Attestor, 'attest'>,
): ExpiryTime => {
  const present = (): TrustedTime => ({ nowMs: time.nowMs(), floorMs: state.current().lastSignedMs ?? builtMs });
  return {
    present,
    async asked() {
      if (time.nowMs() === undefined && state.current().lifecycle === 'active') await attestor.attest(ownParty);
      return present();
    },
  };
};
