/** Enrolling and attesting, with everything that follows: lifecycle, signed time, held results, audit. */

import { transition } from '#agents/management/transition';
import type { MindParts } from '#agents/mind/parts';
import { ownParty } from '#agents/mind/trust';
import type { AttestationResult } from '#attestation/result';
import { within } from '#hal/core/deadline';
import { deny, ok, type Result } from '#hal/core/result';

export interface Attestor {
  /**
   * Enrols, then attests for our own relying party. Calls that come meanwhile share the work: the verifier knows a
   * device by its last enrolment, so a second one at the same time would leave us with a name that is worth nothing.
   */
  enrol(): Promise<Result<AttestationResult>>;
  /** @param rollout digest of the rollout buckets that the relying party, a director, will be told (SR-21) */
  attest(relyingParty: string, rollout?: Uint8Array): Promise<Result<AttestationResult>>;
}

export const attestorNeeds = ['clock', 'log', 'verifier', 'state', 'life', 'trust', 'time', 'audit', 'watchers'] as const;
type Parts = Pick<MindParts, (typeof attestorNeeds)[number]>;

/** Two round trips, a credential activation and a quote on a slow TPM. */
const limitMs = 30_000;

export const attestor = (parts: Parts): Attestor => {
  const { clock, verifier, state, life, trust, time, audit, watchers } = parts;
  const identity = () => ({ bootId: life.bootId, epoch: state.current().handleEpoch });

  const attest = async (relyingParty: string, rollout?: Uint8Array): Promise<Result<AttestationResult>> => {
    const { device } = state.current();
    if (device === undefined) return deny('attestation', 'missing', 'not enrolled');
    const result = await within(clock, limitMs, (signal) =>
      verifier.attest({ ...identity(), id: device }, relyingParty, signal, rollout),
    );
    if (result.ok) {
      trust.holdResult(relyingParty, result.value);
      time.accept({ signedMs: result.value.issuedAtSeconds * 1000, atBootMs: clock.bootMs() });
    } else if (relyingParty === ownParty) trust.holdAttestationFault(result.fault);
    await audit.record({
      event: 'attest.result',
      outcome: result.ok ? (result.value.status === 'affirming' ? 'allowed' : 'denied') : 'denied',
      ...(result.ok ? { handle: result.value.handle } : { fault: result.fault }),
    });
    if (result.ok) await audit.record({ event: 'verify.result', outcome: 'allowed', handle: result.value.handle });
    watchers.notify();
    return result;
  };

  const enrol = async (): Promise<Result<AttestationResult>> => {
    const entered = await transition(parts, 'enrol');
    if (!entered.ok) return entered;
    const enrolled = await within(clock, limitMs, (signal) => verifier.enrol(identity(), signal));
    const left = await (enrolled.ok
      ? transition(parts, 'enrolled', { device: enrolled.value.device })
      : transition(parts, 'refused'));
    if (!left.ok) return left;
    await audit.record({
      event: 'lifecycle.enrolled',
      outcome: enrolled.ok ? 'done' : 'denied',
      ...(enrolled.ok ? { handle: enrolled.value.result.handle } : { fault: enrolled.fault }),
    });
    watchers.notify();
    if (!enrolled.ok) {
      trust.holdAttestationFault(enrolled.fault);
      return enrolled;
    }
    return attest(ownParty);
  };
  let enrolling: Promise<Result<AttestationResult>> | undefined;

  return {
    attest,
    enrol() {
      enrolling ??= enrol().finally(() => {
        enrolling = undefined;
      });
      return enrolling;
    },
  };
};

/** How a result is shown: no more than the handle that the relying party knows anyway. */
export const outcomeOf = ({ status, tpmClass, handle, epoch, expiresAtSeconds }: AttestationResult) =>
  ok({ status, tpmClass, handle, epoch, expiresMs: expiresAtSeconds * 1000 });
