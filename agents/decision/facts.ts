/**
 * The evidence gate: only fresh, verified facts enter a decision. A fact that is missing, unverified or too old is
 * left out, with the reason kept for the explanation; absent beats wrong.
 */
import type { Fault } from '#hal/core/result';

/** One thing the device believes, and how it came to. */
export interface Fact<T> {
  readonly value: T;
  /** Which agent or peer said so. */
  readonly source: string;
  /** CLOCK_BOOTTIME when it was measured. */
  readonly measuredBootMs: number;
  readonly maxAgeMs: number;
  /** Its signature, binding or read-back was checked. */
  readonly isVerified: boolean;
}

/**
 * How we know who asks: a person by what they showed the identity issuer; an administration or the intelligence service
 * by the signatures on exactly what they want; the device's own health gate by its checks of a trial boot.
 */
export type Assurance = 'single-factor' | 'multi-factor' | 'administrator' | 'intelligence-service' | 'health-gate';

export interface Actor {
  /** Pseudonym that the issuer gave, or the first 16 bytes of SHA-256 over the signing keys: as hex. */
  readonly subject: string;
  readonly assurance: Assurance;
}
export interface Session {
  readonly subject: string;
  /** The device it was opened on. */
  readonly handle: string;
  readonly state: 'open' | 'closed';
  readonly recovery: 'none' | 'pending';
  /** Whether the account lets this person use what is protected. */
  readonly permission: 'granted' | 'withdrawn' | 'unsaid';
}
export interface HandleFact {
  readonly handle: string;
  readonly epoch: number;
}
export interface OsTrust {
  readonly lifecycle: string;
  readonly areProgramsHealthy: boolean;
  readonly isTimeKnown: boolean;
}
export interface PostureFact {
  /** none 0, basic 1, device 2, strong 3. */
  readonly level: number;
}
export interface PolicyFact {
  readonly digest: string;
}
export interface Integrity {
  readonly boot: 'verified' | 'unverified';
  /** Whether what was started is the release that was installed and proved by the hands. */
  readonly release: 'verified' | 'unverified';
  readonly audit: 'intact' | 'degraded' | 'tampered';
}
export interface Attestation {
  readonly status: 'affirming' | 'warning' | 'contraindicated';
}
export interface Intelligence {
  readonly category: 'none' | 'low' | 'suspicious' | 'malware-like' | 'spyware-like' | 'tamper';
}

/** What is known besides the requested action and resource: nine of the eleven inputs of the mission. */
export interface Facts {
  readonly actor?: Fact<Actor>;
  readonly session?: Fact<Session>;
  readonly handle?: Fact<HandleFact>;
  readonly osTrust?: Fact<OsTrust>;
  readonly posture?: Fact<PostureFact>;
  readonly policy?: Fact<PolicyFact>;
  readonly integrity?: Fact<Integrity>;
  readonly attestation?: Fact<Attestation>;
  readonly intelligence?: Fact<Intelligence>;
}
export type FactName = keyof Facts;

/** What each fact is called when it is not there, and when it is too old. */
const absence: Readonly<Record<FactName, { readonly missing: Fault; readonly stale: Fault }>> = {
  actor: {
    missing: { category: 'identity', reason: 'actor-missing' },
    stale: { category: 'identity', reason: 'assertion-expired' },
  },
  session: {
    missing: { category: 'identity', reason: 'session-missing' },
    stale: { category: 'identity', reason: 'session-expired' },
  },
  handle: { missing: { category: 'handle', reason: 'missing' }, stale: { category: 'handle', reason: 'missing' } },
  osTrust: {
    missing: { category: 'posture', reason: 'os-trust-missing' },
    stale: { category: 'posture', reason: 'os-trust-missing' },
  },
  posture: { missing: { category: 'posture', reason: 'missing' }, stale: { category: 'posture', reason: 'stale' } },
  policy: { missing: { category: 'policy', reason: 'missing' }, stale: { category: 'policy', reason: 'stale' } },
  integrity: { missing: { category: 'integrity', reason: 'missing' }, stale: { category: 'integrity', reason: 'missing' } },
  attestation: { missing: { category: 'attestation', reason: 'missing' }, stale: { category: 'attestation', reason: 'stale' } },
  intelligence: {
    missing: { category: 'intelligence', reason: 'missing' },
    stale: { category: 'intelligence', reason: 'stale' },
  },
};

export const factNames = Object.keys(absence) as FactName[];

export type Admitted = { readonly [N in FactName]?: NonNullable<Facts[N]>['value'] };

export interface Gate {
  readonly admitted: Admitted;
  /** Why each other fact was left out. */
  readonly refused: Readonly<Partial<Record<FactName, Fault>>>;
}

export const gate = (facts: Facts, nowBootMs: number): Gate => {
  const admitted: Partial<Record<FactName, unknown>> = {};
  const refused: Partial<Record<FactName, Fault>> = {};
  for (const name of factNames) {
    const fact = facts[name];
    if (fact === undefined || !fact.isVerified) refused[name] = absence[name].missing;
    else if (!isFresh(fact, nowBootMs)) refused[name] = absence[name].stale;
    else admitted[name] = fact.value;
  }
  // A session of somebody else says nothing about this person.
  const { actor, session } = admitted as Admitted;
  if (actor !== undefined && session !== undefined && actor.subject !== session.subject) {
    delete admitted.session;
    refused.session = absence.session.missing;
  }
  return { admitted: admitted as Admitted, refused };
};

/** Not measured in the future (another boot's clock), not older than it may be. */
const isFresh = (fact: Fact<unknown>, nowBootMs: number): boolean =>
  fact.measuredBootMs <= nowBootMs && nowBootMs - fact.measuredBootMs <= fact.maxAgeMs;
