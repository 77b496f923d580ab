/** Enrolling and attesting, with everything that follows: lifecycle, signed time, held results, audit. */

import { transition } from '#agents/management/transition';
import type { MindParts } from '#agents/mind/parts';
import { ownParty } from '#agents/mind/trust';
import type { AttestationResult } from '#attestation/result';
import { within } from '#hal/core/deadline';
import { deny, done, ok, type Result } from '#hal/core/result';
import { epochIn } from '#hal/ports/key-ledger';
import type { Enrolled } from './verifier-link.ts';

export interface Attestor {
  /**
   * Enrols, then attests for our own relying party. Calls that come meanwhile share the work: the verifier knows a
   * device by its last enrolment, so a second one at the same time would leave us with a name that is worth nothing.
   *
   * An active device enrols again only where the verifier itself said that it does not know it (SR-17). It stays active
   * and keeps its name until that succeeds, so that who lies in the verifier's name takes nothing from it.
   */
  enrol(): Promise<Result<AttestationResult>>;
  /**
   * @param rollout digest of the rollout buckets that the relying party, a director, will be told (SR-21)
   * @param source who asked, where the device did not by itself: for the rates of the audit log
   */
  attest(relyingParty: string, rollout?: Uint8Array, source?: string): Promise<Result<AttestationResult>>;
}

export const attestorNeeds = [
  'clock',
  'log',
  'hands',
  'verifier',
  'state',
  'life',
  'trust',
  'time',
  'audit',
  'watchers',
] as const;
type Parts = Pick<MindParts, (typeof attestorNeeds)[number]>;

/** Two round trips, a credential activation and a quote on a slow TPM. */
const limitMs = 30_000;

export const attestor = (parts: Parts): Attestor => {
  const { clock, hands, verifier, state, life, trust, time, audit, watchers } = parts;
  const identity = () => ({ bootId: life.bootId, epoch: state.current().handleEpoch });

  const keyEpoch = async (): Promise<Result<number>> => {
    const keys = await hands.keysState();
    return keys.ok ? ok(epochIn(keys.value, 'attestation').epoch) : keys;
  };

  /** @returns what the verifier said, and the epoch of the key that it knows us by now, or an older one */
  const enrolNow = (): Promise<Result<Enrolled & { readonly epoch: number }>> =>
    within(clock, limitMs, async (signal) => {
      const epoch = await keyEpoch();
      if (!epoch.ok) return epoch;
      const enrolled = await verifier.enrol(identity(), signal);
      return enrolled.ok ? ok({ ...enrolled.value, epoch: epoch.value }) : enrolled;
    });

  /**
   * After a rotation the verifier knows us by a key that is not in use any more, so we enrol anew: the TPM proves again
   * what it holds. Until that succeeds nothing is attested, and each attempt to attest begins with it.
   */
  const renew = async (): Promise<Result<void>> => {
    const epoch = await keyEpoch();
    if (!epoch.ok) return epoch;
    if (epoch.value === (state.current().enrolledEpoch ?? 1)) return done;
    const enrolled = await enrolNow();
    const kept = enrolled.ok ? state.update({ device: enrolled.value.device, enrolledEpoch: enrolled.value.epoch }) : enrolled;
    await audit.record({
      event: 'lifecycle.enrolled',
      outcome: enrolled.ok ? 'done' : 'denied',
      ...(enrolled.ok ? { handle: enrolled.value.result.handle } : { fault: enrolled.fault }),
    });
    return kept;
  };
  let renewing: Promise<Result<void>> | undefined;
  const asKnown = (): Promise<Result<void>> => {
    renewing ??= renew().finally(() => {
      renewing = undefined;
    });
    return renewing;
  };

  const ask = (relyingParty: string, rollout?: Uint8Array): Promise<Result<AttestationResult>> =>
    within(clock, limitMs, async (signal) => {
      const known = await asKnown();
      if (!known.ok) return known;
      const { device } = state.current();
      if (device === undefined) return deny('attestation', 'missing', 'not enrolled');
      return verifier.attest({ ...identity(), id: device }, relyingParty, signal, rollout);
    });

  const attest: Attestor['attest'] = async (relyingParty, rollout, source) => {
    if (state.current().device === undefined) return deny('attestation', 'missing', 'not enrolled');
    const result = await ask(relyingParty, rollout);
    if (result.ok) {
      trust.holdResult(relyingParty, result.value);
      time.accept({ signedMs: result.value.issuedAtSeconds * 1000, atBootMs: clock.bootMs() });
    } else if (relyingParty === ownParty) trust.holdAttestationFault(result.fault);
    const asked = source === undefined ? {} : { source };
    await audit.record({
      event: 'attest.result',
      ...asked,
      outcome: result.ok ? (result.value.status === 'affirming' ? 'allowed' : 'denied') : 'denied',
      ...(result.ok ? { handle: result.value.handle } : { fault: result.fault }),
    });
    if (result.ok) await audit.record({ event: 'verify.result', outcome: 'allowed', ...asked, handle: result.value.handle });
    watchers.notify();
    return result;
  };

  const enrol = async (): Promise<Result<AttestationResult>> => {
    const isAgain = isForgotten(parts);
    const entered = isAgain ? ok('active') : await transition(parts, 'enrol');
    if (!entered.ok) return entered;
    const enrolled = await enrolNow();
    const left = await (enrolled.ok
      ? transition(parts, 'enrolled', { device: enrolled.value.device, enrolledEpoch: enrolled.value.epoch })
      : isAgain
        ? entered
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

/** An active device that its verifier does not know any more, by the verifier's own word. */
export const isForgotten = ({ state, trust }: Pick<MindParts, 'state' | 'trust'>): boolean =>
  state.current().lifecycle === 'active' && trust.attestationFault()?.reason === 'enrolment-unknown';

/** How a result is shown: no more than the handle that the relying party knows anyway. */
export const outcomeOf = ({ status, tpmClass, handle, epoch, expiresAtSeconds }: AttestationResult) =>
  ok({ status, tpmClass, handle, epoch, expiresMs: expiresAtSeconds * 1000 });
