import { expect, test } from 'vitest';
import { categories } from '#hal/core/faults';
import { exitCodeOf } from './exit-codes.ts';

test('each category of refusal has its exit code, and what took too long its own', () => {
  const codes = Object.fromEntries(categories.map((category) => [category, exitCodeOf({ category, reason: 'any' })]));
  expect(codes).toEqual({
    identity: 3,
    authorization: 3,
    posture: 3,
    handle: 3,
    policy: 3,
    intelligence: 3,
    integrity: 4,
    attestation: 4,
    protocol: 4,
    resource: 1,
    unavailable: 5,
  });
  expect(exitCodeOf({ category: 'resource', reason: 'time-limit' })).toBe(6);
});
