/** The verifier's door to devices. */
import type { Methods } from '#hal/remote/methods';

export const verifierMethods = {
  'enrol.begin': { request: 'EnrolBegin', reply: 'EnrolChallenge' },
  'enrol.finish': { request: 'EnrolFinish', reply: 'EnrolDone' },
  'attest.begin': { request: 'AttestBegin', reply: 'AttestChallenge' },
  'attest.finish': { request: 'AttestFinish', reply: 'AttestDone' },
} as const satisfies Methods;

export type VerifierMethods = typeof verifierMethods;
