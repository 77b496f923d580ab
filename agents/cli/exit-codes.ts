/** Exit codes of `enigmctl`, and which refusal gives which. */
import type { Category } from '#hal/core/faults';
import type { Fault } from '#hal/core/result';

export const exitCodes = { done: 0, failed: 1, usage: 2, denied: 3, unverified: 4, unreachable: 5, timedOut: 6 } as const;

const byCategory: Readonly<Record<Category, number>> = {
  identity: exitCodes.denied,
  authorization: exitCodes.denied,
  posture: exitCodes.denied,
  handle: exitCodes.denied,
  policy: exitCodes.denied,
  intelligence: exitCodes.denied,
  integrity: exitCodes.unverified,
  attestation: exitCodes.unverified,
  protocol: exitCodes.unverified,
  resource: exitCodes.failed,
  unavailable: exitCodes.unreachable,
};

export const exitCodeOf = ({ category, reason }: Fault): number =>
  reason === 'time-limit' ? exitCodes.timedOut : byCategory[category];
