/**
 * What the mind believes at the moment, and where it came from: the one place that facts for decisions are made of.
 *
 * Ages count on the boot clock from the moment something was received or measured, so that no change of the wall clock
 * makes anything fresh again.
 */

import type { AuditState } from '#agents/audit/health';
import type { Actor, Fact, Facts, HandleFact, Integrity, Session } from '#agents/decision/facts';
import { policyDigest } from '#agents/decision/policy';
import { type Assessment, riskOf } from '#agents/defense/assessment';
import { levels } from '#agents/posture/level';
import type { Observed } from '#agents/posture/observations';
import type { AttestationResult, TpmClass } from '#attestation/result';
import { toHex } from '#hal/core/bytes';
import type { Category } from '#hal/core/faults';
import type { Fault } from '#hal/core/result';
import type { EngineReport } from '#hal/ports/inference';
import type { Finding, Level, Posture, RiskCategory } from '#protos/gen/types';

/** The relying party whose result this device decides by: the account service of the Enigm App. */
export const ownParty = 'account';
/** Relying parties whose newest result is held, as many as an answer lists; the oldest is forgotten first, our own never. */
export const maxParties = 64;

export interface HeldResult {
  readonly result: AttestationResult;
  readonly atBootMs: number;
}

/** Until when the statement holds, on the boot clock. */
interface Held<T> {
  readonly value: T;
  readonly atBootMs: number;
  readonly untilBootMs: number;
}

export interface Trust {
  holdResult(relyingParty: string, result: AttestationResult): void;
  /**
   * The verifier refused, which ends what it affirmed before; or it could not be asked, and an older result stays
   * until it expires: a verifier that is down switches nothing off (SR-13).
   */
  holdAttestationFault(fault: Fault): void;
  /** The device's own pseudonym for our relying party: it does not age within its epoch. */
  holdHandle(handle: HandleFact): void;
  handle(): HandleFact | undefined;
  result(relyingParty: string): HeldResult | undefined;
  results(): ReadonlyMap<string, HeldResult>;
  attestationFault(): Fault | undefined;
  tpmClass(): TpmClass | undefined;
  holdActor(actor: Actor, lifeMs: number): void;
  holdSession(session: Session, lifeMs: number): void;
  /** How often something was held that a posture is judged by. */
  changes(): number;
  /** @param changesSeen `changes()` when the measurement began */
  holdPosture(posture: Posture, programs: Observed<boolean>, changesSeen: number): void;
  /** Whether something was held after the measurement began: then it is measured anew before a decision. */
  isPostureOutdated(): boolean;
  posture(): Posture | undefined;
  holdEngine(engine: Observed<EngineReport | undefined>): void;
  engine(): Observed<EngineReport | undefined> | undefined;
  /** What our own model said of this device, the newest in place of the one before. */
  holdAssessment(assessment: Assessment): void;
  assessment(): Observed<Assessment> | undefined;
  /** @param about an app, or the device under the empty name; the newest in place of the one before */
  holdOutcome(about: string, category: RiskCategory, lifeMs: number): void;
  facts(present: Present): Facts;
}

/** How long a result counts from when it came, in milliseconds. */
export const lifeMs = ({ issuedAtSeconds, expiresAtSeconds }: AttestationResult): number =>
  (expiresAtSeconds - issuedAtSeconds) * 1000;

/** What the mind knows at the moment of the decision itself. */
export interface Present {
  readonly audit: AuditState;
  readonly lifecycle: string;
  readonly isTimeKnown: boolean;
  /** Whether a verifier has bound this device's handle to it. */
  readonly isEnrolled: boolean;
}

/** Faults that say nothing about this device: the verifier could not be asked. */
const operational: readonly Category[] = ['protocol', 'resource', 'unavailable'];
export const isRefusal = (fault: Fault): boolean => !operational.includes(fault.category);

/** A posture is good for a decision this long. */
export const postureAgeMs = 60_000;
/** The engine's last self-test is good for this long. */
const engineAgeMs = 60 * 60_000;
/** A judgement is made anew every few seconds; one this old says that nobody looks any more. */
const assessmentAgeMs = 5 * 60_000;

export const trust = (bootMs: () => number): Trust => {
  const results = new Map<string, HeldResult>();
  let attestationFault: Fault | undefined;
  let handle: HandleFact | undefined;
  let actor: Held<Actor> | undefined;
  let session: Held<Session> | undefined;
  let posture:
    | { readonly value: Posture; readonly atBootMs: number; readonly programs: Observed<boolean>; readonly changesSeen: number }
    | undefined;
  let changes = 0;
  let engine: Observed<EngineReport | undefined> | undefined;
  let assessment: Observed<Assessment> | undefined;
  const outcomes = new Map<string, Held<RiskCategory>>();

  const hold = <T>(value: T, lifeMs: number): Held<T> => ({ value, atBootMs: bootMs(), untilBootMs: bootMs() + lifeMs });
  const fact = <T>(value: T, source: string, measuredBootMs: number, maxAgeMs: number): Fact<T> => ({
    value,
    source,
    measuredBootMs,
    maxAgeMs,
    isVerified: true,
  });
  const heldFact = <T>({ value, atBootMs, untilBootMs }: Held<T>, source: string): Fact<T> =>
    fact(value, source, atBootMs, untilBootMs - atBootMs);

  /**
   * The worst of what our own model and the intelligence service say. Where nothing was ever judged here, a working
   * engine says that nobody reported anything, and no more than that.
   */
  const intelligence = (nowBootMs: number): Facts['intelligence'] => {
    for (const [about, { untilBootMs }] of outcomes) if (untilBootMs < nowBootMs) outcomes.delete(about);
    const said = [...outcomes.values()].map((held) =>
      heldFact({ ...held, value: { category: held.value } }, 'intelligence-service'),
    );
    if (assessment !== undefined)
      said.push(fact({ category: assessment.value.category }, 'own-model', assessment.measuredBootMs, assessmentAgeMs));
    else if (engine?.value !== undefined)
      said.push(fact({ category: 'none' as const }, engine.value.engine, engine.measuredBootMs, engineAgeMs));
    // What was said but is too old is called stale only where nobody says anything fresh.
    const fresh = said.filter(({ measuredBootMs, maxAgeMs }) => nowBootMs - measuredBootMs <= maxAgeMs);
    return (fresh.length > 0 ? fresh : said).toSorted((a, b) => riskOf(b.value.category) - riskOf(a.value.category))[0];
  };

  return {
    holdResult(relyingParty, result) {
      changes += 1;
      const oldest = [...results.keys()].find((party) => party !== ownParty);
      if (results.size >= maxParties && !results.has(relyingParty) && oldest !== undefined) results.delete(oldest);
      results.set(relyingParty, { result, atBootMs: bootMs() });
      if (relyingParty === ownParty) attestationFault = undefined;
    },
    holdAttestationFault(fault) {
      changes += 1;
      attestationFault = fault;
    },
    holdHandle(value) {
      handle = value;
    },
    handle: () => handle,
    result: (relyingParty) => results.get(relyingParty),
    results: () => results,
    attestationFault: () => attestationFault,
    tpmClass: () => results.get(ownParty)?.result.tpmClass,
    holdActor: (value, lifeMs) => {
      actor = hold(value, lifeMs);
    },
    holdSession: (value, lifeMs) => {
      session = hold(value, lifeMs);
    },
    changes: () => changes,
    holdPosture(value, programs, changesSeen) {
      posture = { value, atBootMs: bootMs(), programs, changesSeen };
    },
    isPostureOutdated: () => posture?.changesSeen !== changes,
    posture: () => posture?.value,
    holdEngine(observed) {
      // As with judgements: that it still works is no news.
      if (engine === undefined || engine.value?.engine !== observed.value?.engine) changes += 1;
      engine = observed;
    },
    engine: () => engine,
    holdAssessment(value) {
      // Not every judgement is news: the posture is measured anew where it would say something else.
      const before = assessment?.value;
      if (before?.category !== value.category || before.opinion !== value.opinion) changes += 1;
      assessment = { value, measuredBootMs: bootMs() };
    },
    assessment: () => assessment,
    holdOutcome(about, category, lifeMs) {
      changes += 1;
      outcomes.set(about, hold(category, lifeMs));
    },
    facts({ audit, lifecycle, isTimeKnown, isEnrolled }) {
      const nowBootMs = bootMs();
      const own = results.get(ownParty);
      const said = intelligence(nowBootMs);
      return {
        policy: fact({ digest: toHex(policyDigest) }, 'image', nowBootMs, postureAgeMs),
        ...(actor === undefined ? {} : { actor: heldFact(actor, 'identity-issuer') }),
        ...(session === undefined ? {} : { session: heldFact(session, 'account-service') }),
        ...(handle === undefined || !isEnrolled ? {} : { handle: fact(handle, 'device-key', nowBootMs, postureAgeMs) }),
        ...(own === undefined || (attestationFault !== undefined && isRefusal(attestationFault))
          ? {}
          : { attestation: fact({ status: own.result.status }, own.result.verifier, own.atBootMs, lifeMs(own.result)) }),
        ...(posture === undefined
          ? {}
          : {
              posture: fact({ level: levels.indexOf(posture.value.level as Level) }, 'posture', posture.atBootMs, postureAgeMs),
              osTrust: fact(
                { lifecycle, areProgramsHealthy: posture.programs.value, isTimeKnown },
                'posture',
                posture.programs.measuredBootMs,
                postureAgeMs,
              ),
              integrity: fact({ ...softwareOf(posture.value.findings), audit }, 'posture', posture.atBootMs, postureAgeMs),
            }),
        ...(said === undefined ? {} : { intelligence: said }),
      };
    },
  };
};

/** What was started, and whether that is what was installed. */
const softwareOf = (findings: readonly Finding[]): Pick<Integrity, 'boot' | 'release'> => {
  const stateOf = (id: string) => (findings.find((finding) => finding.id === id)?.result === 'pass' ? 'verified' : 'unverified');
  return { boot: stateOf('boot-log'), release: stateOf('installed-release') };
};
