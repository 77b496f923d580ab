/** What this device decides on: each action with its resources, the facts it needs, and what follows an allow. */
import type { FactName } from './facts.ts';

export interface Action {
  /** Resource categories that the action makes sense on. */
  readonly resources: readonly Resource[];
  /** Facts without which it is denied; used to say which one was missing, the policy denies by itself. */
  readonly needs: readonly FactName[];
  readonly obligations: readonly Obligation[];
}

export const resources = ['messaging', 'device', 'policy', 'apps', 'keys'] as const;
export type Resource = (typeof resources)[number];

/** `recheck`: the caller asks again after a minute. `record`: the decision is in the audit log before it is answered. */
export type Obligation = 'record' | 'recheck';

const everything: readonly FactName[] = [
  'actor',
  'session',
  'handle',
  'osTrust',
  'posture',
  'policy',
  'integrity',
  'attestation',
  'intelligence',
];
const person: readonly FactName[] = ['actor', 'session', 'handle', 'policy'];
const signed: readonly FactName[] = ['actor', 'osTrust', 'policy'];

export const actions = {
  'open-secure-messaging': { resources: ['messaging'], needs: everything, obligations: ['record', 'recheck'] },
  'open-secure-call': { resources: ['messaging'], needs: everything, obligations: ['record', 'recheck'] },
  /** Must stay possible on a device in a bad state: it is how many bad states end. */
  'reboot-device': { resources: ['device'], needs: person, obligations: ['record'] },
  /** Needs no posture: keys must be given up on a device in a bad state, then above all. */
  'rotate-key': { resources: ['keys'], needs: person, obligations: ['record'] },
  'revoke-key': { resources: ['keys'], needs: person, obligations: ['record'] },
  'start-app': { resources: ['apps'], needs: person, obligations: ['record'] },
  /** By the signatures on the bundle. Needs no posture: a tightening must reach a device in a bad state. */
  'apply-bundle': { resources: ['policy'], needs: signed, obligations: ['record'] },
  /** By the signatures on the release. */
  'install-release': { resources: ['device'], needs: signed, obligations: ['record'] },
  /** By the local checks of a trial boot: no verifier, no server and no person is asked (SR-13). */
  'end-trial': { resources: ['device'], needs: signed, obligations: ['record'] },
  /** A person keeps what is on trial, or goes back to what ran before. Needs no posture: a bad release is a bad state. */
  'confirm-release': { resources: ['device'], needs: person, obligations: ['record'] },
  'roll-back-release': { resources: ['device'], needs: person, obligations: ['record'] },
  /** By the signatures on the order: suspending and resuming must reach a device in a bad state. */
  'change-lifecycle': { resources: ['device'], needs: signed, obligations: ['record'] },
  /** By the signature on an outcome; it only ever takes away. */
  'block-app': { resources: ['apps'], needs: signed, obligations: ['record'] },
} as const satisfies Record<string, Action>;

export type ActionName = keyof typeof actions;
export const actionNames = Object.keys(actions) as ActionName[];
