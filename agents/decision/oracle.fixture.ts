/** The policy once more, in plain TypeScript: what the engine must say. For tests, where the two are compared. */
import type { Facts } from './facts.ts';

/** Allow or deny, from the words of the policy and nothing of its code. */
export const oracle = (action: string, resource: string, facts: Facts, nowBootMs: number): boolean => {
  const fresh = <T>(
    fact: { value: T; measuredBootMs: number; maxAgeMs: number; isVerified: boolean } | undefined,
  ): T | undefined =>
    fact?.isVerified && fact.measuredBootMs <= nowBootMs && nowBootMs - fact.measuredBootMs <= fact.maxAgeMs
      ? fact.value
      : undefined;
  const actor = fresh(facts.actor);
  const claimed = fresh(facts.session);
  const session = claimed !== undefined && (actor === undefined || claimed.subject === actor.subject) ? claimed : undefined;
  const handle = fresh(facts.handle);
  const policy = fresh(facts.policy);
  const trust = fresh(facts.osTrust);
  const signer = {
    'apply-bundle': ['policy', 'administrator'],
    'install-release': ['device', 'administrator'],
    'change-lifecycle': ['device', 'administrator'],
    'end-trial': ['device', 'health-gate'],
    'block-app': ['apps', 'intelligence-service'],
  }[action];
  if (signer !== undefined)
    return (
      resource === signer[0] &&
      actor?.assurance === signer[1] &&
      policy !== undefined &&
      trust !== undefined &&
      !['replaced', 'revoked', 'retired', 'wiped'].includes(trust.lifecycle)
    );
  if (!actor || !session || !handle || !policy || !/factor$/.test(actor.assurance)) return false;
  if (session.state !== 'open' || session.handle !== handle.handle) return false;
  if (action === 'reboot-device' || action === 'confirm-release' || action === 'roll-back-release') return resource === 'device';
  if (action === 'start-app') return resource === 'apps';
  if (action === 'rotate-key' || action === 'revoke-key') return resource === 'keys';
  if ((action !== 'open-secure-messaging' && action !== 'open-secure-call') || resource !== 'messaging') return false;
  const osTrust = fresh(facts.osTrust);
  const posture = fresh(facts.posture);
  const integrity = fresh(facts.integrity);
  const attestation = fresh(facts.attestation);
  const intelligence = fresh(facts.intelligence);
  if (!osTrust || !posture || !integrity || !attestation || !intelligence) return false;
  return (
    session.recovery === 'none' &&
    session.permission === 'granted' &&
    osTrust.lifecycle === 'active' &&
    osTrust.areProgramsHealthy &&
    osTrust.isTimeKnown &&
    posture.level >= 1 &&
    integrity.boot === 'verified' &&
    integrity.release === 'verified' &&
    integrity.audit !== 'tampered' &&
    attestation.status === 'affirming' &&
    (intelligence.category === 'none' || intelligence.category === 'low')
  );
};
