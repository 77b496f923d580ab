import { describe, expect, test } from 'vitest';
import { categories, explain, faults } from './faults.ts';
import { deny, faultFrom } from './result.ts';

describe('the vocabulary of refusal (SR-10)', () => {
  test('has the eight categories of the mission, then three operational ones', () => {
    expect(categories).toEqual([
      ...['identity', 'authorization', 'posture', 'handle', 'policy', 'integrity', 'attestation', 'intelligence'],
      ...['protocol', 'resource', 'unavailable'],
    ]);
  });

  test('explains every code in a sentence, with what would change it', () => {
    for (const category of categories)
      for (const reason of Object.keys(faults[category])) {
        expect(reason).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
        const entry = explain(`${category}/${reason}`);
        expect(entry?.meaning).toMatch(/^[A-Z].+\.$/);
        expect(entry?.remedy).toMatch(/^[A-Z].+[.:]/);
      }
  });

  test.each(['', 'posture', 'posture/', 'posture/nothing', 'constructor/name', 'posture/toString', 'posture/stale/more'])(
    'does not explain %j',
    (code) => {
      expect(explain(code)).toBeUndefined();
    },
  );

  test('keeps what came over a wire only when it is a known code', () => {
    expect(faultFrom('posture', 'stale')).toEqual({ category: 'posture', reason: 'stale' });
    expect(faultFrom('posture', 'made-up')).toMatchObject({ category: 'protocol', reason: 'malformed' });
    expect(faultFrom('__proto__', 'x')).toMatchObject({ category: 'protocol', reason: 'malformed' });
  });

  test('keeps detail apart from what may leave the device', () => {
    expect(deny('policy', 'stale', 'for the local log')).toEqual({
      ok: false,
      fault: { category: 'policy', reason: 'stale', detail: 'for the local log' },
    });
  });
});
