import { validate } from '@cedar-policy/cedar-wasm/nodejs';
import { describe, expect, test } from 'vitest';
import { rules, schema } from './policy.ts';

type Rules = Readonly<Record<string, string>>;
const ours: Rules = Object.fromEntries(rules.map(({ id, cedar }) => [id, cedar]));

/** `validate` answers success even with errors in its list: the list is what counts. */
const problemsOf = (staticPolicies: Rules): readonly string[] => {
  const found = validate({ schema, policies: { staticPolicies: { ...staticPolicies } }, validationSettings: { mode: 'strict' } });
  if (found.type === 'failure') return found.errors.map(({ message }) => message);
  return [...found.validationErrors, ...found.validationWarnings].map(({ policyId, error }) => `${policyId}: ${error.message}`);
};

describe('the policy', () => {
  test("passes Cedar's strict validation, without a warning", () => {
    expect(problemsOf(ours)).toEqual([]);
  });

  test('would not, with a rule that takes a fact for granted', () => {
    const careless = 'permit (principal, action, resource) when { context.posture.level > 0 };';
    expect(problemsOf({ ...ours, careless }).join()).toContain('careless: ');
  });
});
