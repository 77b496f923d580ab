import { describe, expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { actionNames, resources } from './actions.ts';
import { decide } from './decide.ts';
import { cedarEngine } from './engine.ts';
import { exitRule, exitsOnly } from './exits.ts';
import type { Assurance, Fact, Facts } from './facts.ts';

const engine = unwrap(await cedarEngine());
const fault = { category: 'policy', reason: 'engine-failed' } as const;
const broken = exitsOnly(fault);
const fact = <T>(value: T): Fact<T> => ({ value, source: 'test', measuredBootMs: 0, maxAgeMs: 5_000, isVerified: true });
const assurances: readonly Assurance[] = [
  'single-factor',
  'multi-factor',
  'administrator',
  'intelligence-service',
  'health-gate',
];
const lifecycles = ['unenrolled', 'enrolling', 'active', 'suspended', 'replaced', 'revoked', 'retired', 'wiped'];
const factsOf = (assurance: Assurance, lifecycle: string): Facts => ({
  actor: fact({ subject: 'aa', assurance }),
  osTrust: fact({ lifecycle, areProgramsHealthy: false, isTimeKnown: false }),
  policy: fact({ digest: 'd' }),
});

describe('a device whose policy engine does not load', () => {
  test.each([
    ['install-release', 'administrator'],
    ['change-lifecycle', 'administrator'],
    ['end-trial', 'health-gate'],
  ] as const)('still allows %s, on its signatures (SR-12, SR-13, SR-17)', (action, assurance) => {
    for (const lifecycle of ['active', 'suspended', 'unenrolled']) {
      const { isAllowed, rules, obligations } = decide(broken, { action, resource: 'device' }, factsOf(assurance, lifecycle), 0);
      expect([isAllowed, rules, obligations]).toEqual([true, [exitRule], ['record']]);
    }
  });

  test('denies everything else, and says why', () => {
    const { isAllowed, fault: said } = decide(
      broken,
      { action: 'open-secure-messaging', resource: 'messaging' },
      factsOf('multi-factor', 'active'),
      0,
    );
    expect([isAllowed, said && codeOf(said)]).toEqual([false, 'policy/engine-failed']);
  });

  test('allows nothing that the engine would not have allowed', () => {
    let allowed = 0;
    for (const action of actionNames)
      for (const resource of resources)
        for (const assurance of assurances)
          for (const lifecycle of lifecycles) {
            const facts = factsOf(assurance, lifecycle);
            if (!decide(broken, { action, resource }, facts, 0).isAllowed) continue;
            allowed += 1;
            expect(
              decide(engine, { action, resource }, facts, 0).isAllowed,
              `${action} ${resource} ${assurance} ${lifecycle}`,
            ).toBe(true);
          }
    expect(allowed).toBe(12);
  });

  test('allows nothing on facts that are missing, or of anybody else', () => {
    const { actor: _, ...nobody } = factsOf('administrator', 'active');
    const { osTrust: __, ...nowhere } = factsOf('administrator', 'active');
    for (const facts of [nobody, nowhere, factsOf('multi-factor', 'active')])
      expect(decide(broken, { action: 'install-release', resource: 'device' }, facts, 0).isAllowed).toBe(false);
  });
});
