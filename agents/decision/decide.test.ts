import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { actionNames, actions, resources } from './actions.ts';
import { decide } from './decide.ts';
import { cedarEngine, type Engine } from './engine.ts';
import { type Assurance, type Fact, type FactName, type Facts, factNames } from './facts.ts';
import { oracle } from './oracle.fixture.ts';
import { rules } from './policy.ts';

const engine = unwrap(await cedarEngine());
const nowBootMs = 100_000;
const fact = <T>(value: T, changed: Partial<Fact<T>> = {}): Fact<T> => ({
  value,
  source: 'test',
  measuredBootMs: nowBootMs - 1_000,
  maxAgeMs: 5_000,
  isVerified: true,
  ...changed,
});
const good = {
  actor: fact({ subject: 'aa', assurance: 'multi-factor' as const }),
  session: fact({
    subject: 'aa',
    handle: 'h1',
    state: 'open' as const,
    recovery: 'none' as const,
    permission: 'granted' as const,
  }),
  handle: fact({ handle: 'h1', epoch: 1 }),
  osTrust: fact({ lifecycle: 'active', areProgramsHealthy: true, isTimeKnown: true }),
  posture: fact({ level: 1 }),
  policy: fact({ digest: 'd' }),
  integrity: fact({ boot: 'verified' as const, release: 'verified' as const, audit: 'intact' as const }),
  attestation: fact({ status: 'affirming' as const }),
  intelligence: fact({ category: 'none' as const }),
} satisfies Facts;

const messaging = { action: 'open-secure-messaging', resource: 'messaging' };
const verdict = (facts: Facts, request = messaging, by: Engine = engine) => {
  const { isAllowed, fault } = decide(by, request, facts, nowBootMs);
  return isAllowed ? 'allowed' : fault === undefined ? 'denied without a reason' : codeOf(fault);
};
const without = (name: FactName): Facts => Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));

/** What dropping each of the eleven inputs of the mission must be called. */
const absent: Readonly<Record<FactName, string>> = {
  actor: 'identity/actor-missing',
  session: 'identity/session-missing',
  handle: 'handle/missing',
  osTrust: 'posture/os-trust-missing',
  posture: 'posture/missing',
  policy: 'policy/missing',
  integrity: 'integrity/missing',
  attestation: 'attestation/missing',
  intelligence: 'intelligence/missing',
};

describe('a decision', () => {
  test('is allow when all eleven inputs are established and good', () => {
    expect(verdict(good)).toBe('allowed');
    expect(decide(engine, messaging, good, nowBootMs).obligations).toEqual(['record', 'recheck']);
  });

  test.each(factNames)('is deny without %s, under its category', (name) => {
    expect(verdict(without(name))).toBe(absent[name]);
  });

  test('is deny for an action or a resource that is not known', () => {
    expect(verdict(good, { action: 'wipe-everything', resource: 'device' })).toBe('authorization/action-unknown');
    expect(verdict(good, { action: 'toString', resource: 'device' })).toBe('authorization/action-unknown');
    expect(verdict(good, { action: 'open-secure-messaging', resource: 'moon' })).toBe('authorization/resource-unknown');
  });

  test.each(factNames)('takes %s for absent when it is not verified', (name) => {
    expect(verdict({ ...good, [name]: { ...good[name], isVerified: false } })).toBe(absent[name]);
  });

  test.each(factNames)('is deny when %s is one millisecond too old, or measured in the future', (name) => {
    const aged = (measuredBootMs: number) => verdict({ ...good, [name]: { ...good[name], measuredBootMs } });
    expect(aged(nowBootMs - good[name].maxAgeMs)).toBe('allowed');
    expect(aged(nowBootMs - good[name].maxAgeMs - 1)).not.toBe('allowed');
    expect(aged(nowBootMs + 1)).not.toBe('allowed');
  });

  test.each<[string, Facts, string]>([
    [
      'a session of another person',
      { ...good, session: fact({ ...good.session.value, subject: 'bb' }) },
      'identity/session-missing',
    ],
    ['a closed session', { ...good, session: fact({ ...good.session.value, state: 'closed' }) }, 'identity/session-closed'],
    ['a recovery', { ...good, session: fact({ ...good.session.value, recovery: 'pending' }) }, 'identity/recovery-pending'],
    [
      'a permission that the account has withdrawn',
      { ...good, session: fact({ ...good.session.value, permission: 'withdrawn' }) },
      'authorization/permission-missing',
    ],
    [
      'a permission that the account does not mention',
      { ...good, session: fact({ ...good.session.value, permission: 'unsaid' }) },
      'authorization/permission-missing',
    ],
    [
      'a session of another device',
      { ...good, session: fact({ ...good.session.value, handle: 'h2' }) },
      'handle/session-of-another-device',
    ],
    [
      'a suspended device',
      { ...good, osTrust: fact({ ...good.osTrust.value, lifecycle: 'suspended' }) },
      'posture/lifecycle-state',
    ],
    [
      'a program that is down',
      { ...good, osTrust: fact({ ...good.osTrust.value, areProgramsHealthy: false }) },
      'posture/programs-unhealthy',
    ],
    ['unknown time (SR-16)', { ...good, osTrust: fact({ ...good.osTrust.value, isTimeKnown: false }) }, 'posture/time-unknown'],
    ['a level below basic', { ...good, posture: fact({ level: 0 }) }, 'posture/level-too-low'],
    [
      'a boot that is not verified',
      { ...good, integrity: fact({ ...good.integrity.value, boot: 'unverified' }) },
      'integrity/boot-unverified',
    ],
    [
      'a release that is not what was installed',
      { ...good, integrity: fact({ ...good.integrity.value, release: 'unverified' }) },
      'integrity/release-unverified',
    ],
    [
      'a tampered audit log (SR-14)',
      { ...good, integrity: fact({ ...good.integrity.value, audit: 'tampered' }) },
      'integrity/audit-tampered',
    ],
    ['a verifier that warns', { ...good, attestation: fact({ status: 'warning' }) }, 'attestation/not-affirming'],
    ['a detection', { ...good, intelligence: fact({ category: 'spyware-like' }) }, 'intelligence/blocked'],
  ])('is deny with %s', (_, facts, expected) => {
    expect(verdict(facts)).toBe(expected);
  });

  test('is still allow while the audit log is degraded (SR-14)', () => {
    expect(verdict({ ...good, integrity: fact({ ...good.integrity.value, audit: 'degraded' }) })).toBe('allowed');
  });

  test('names the cause rather than the level that sums it up', () => {
    const bad = {
      ...good,
      posture: fact({ level: 0 }),
      integrity: fact({ ...good.integrity.value, audit: 'tampered' as const }),
    };
    expect(verdict(bad)).toBe('integrity/audit-tampered');
  });

  test('lets the device restart in a bad state, but not for a stranger', () => {
    const bad = { actor: good.actor, session: good.session, handle: good.handle, policy: good.policy };
    const reboot = { action: 'reboot-device', resource: 'device' };
    expect(verdict(bad, reboot)).toBe('allowed');
    expect(verdict({ ...bad, actor: undefined } as unknown as Facts, reboot)).toBe('identity/actor-missing');
    expect(verdict(bad, { ...reboot, resource: 'messaging' })).toBe('authorization/not-permitted');
  });

  test('is deny when the engine fails, whatever the facts', () => {
    const broken: Engine = () => ({ ok: false, fault: { category: 'policy', reason: 'engine-failed' } });
    expect(verdict(good, messaging, broken)).toBe('policy/engine-failed');
    const wrongType = { ...good, posture: fact({ level: 'one' as unknown as number }) };
    expect(verdict(wrongType)).toBe('policy/engine-failed');
  });
});

test('account authentication alone never changes any decision to allow', () => {
  for (const action of actionNames)
    for (const resource of resources) {
      expect(verdict({ actor: good.actor, session: good.session }, { action, resource })).not.toBe('allowed');
      expect(verdict({ actor: good.actor }, { action, resource })).not.toBe('allowed');
    }
});

test('an action that needs everything is denied by every subset of the facts but the whole', () => {
  expect(actions['open-secure-messaging'].needs).toEqual(expect.arrayContaining([...factNames]));
  for (let mask = 0; mask < 1 << factNames.length; mask += 1) {
    const facts: Facts = Object.fromEntries(
      Object.entries(good).filter(([name]) => mask & (1 << factNames.indexOf(name as FactName))),
    );
    expect(verdict(facts) === 'allowed').toBe(mask === (1 << factNames.length) - 1);
  }
});

const anyFact = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Fact<T> | undefined> =>
  fc.option(
    fc.record({
      value,
      source: fc.constant('test'),
      measuredBootMs: fc.oneof(
        { weight: 8, arbitrary: fc.constant(nowBootMs - 1_000) },
        fc.integer({ min: nowBootMs - 10_000, max: nowBootMs + 10 }),
      ),
      maxAgeMs: fc.constant(5_000),
      isVerified: fc.oneof({ weight: 12, arbitrary: fc.constant(true) }, fc.constant(false)),
    }),
    { nil: undefined, freq: 12 },
  );
const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 10, arbitrary: fc.constant(usual) }, fc.constantFrom(...others));
const anyFacts: fc.Arbitrary<Facts> = fc
  .record({
    actor: anyFact(
      fc.record({
        subject: mostly('aa', 'bb'),
        assurance: mostly<Assurance>('multi-factor', 'single-factor', 'administrator', 'intelligence-service', 'health-gate'),
      }),
    ),
    session: anyFact(
      fc.record({
        subject: mostly('aa', 'bb'),
        handle: mostly('h1', 'h2'),
        state: mostly<'open' | 'closed'>('open', 'closed'),
        recovery: mostly<'none' | 'pending'>('none', 'pending'),
        permission: mostly<'granted' | 'withdrawn' | 'unsaid'>('granted', 'withdrawn', 'unsaid'),
      }),
    ),
    handle: anyFact(fc.record({ handle: mostly('h1', 'h2'), epoch: fc.integer({ min: 1, max: 3 }) })),
    osTrust: anyFact(
      fc.record({
        lifecycle: mostly('active', 'suspended', 'enrolling', 'revoked'),
        areProgramsHealthy: mostly(true, false),
        isTimeKnown: mostly(true, false),
      }),
    ),
    posture: anyFact(fc.record({ level: mostly(1, 0, 2, 3) })),
    policy: anyFact(fc.record({ digest: fc.constant('d') })),
    integrity: anyFact(
      fc.record({
        boot: mostly<'verified' | 'unverified'>('verified', 'unverified'),
        release: mostly<'verified' | 'unverified'>('verified', 'unverified'),
        audit: mostly<'intact' | 'degraded' | 'tampered'>('intact', 'degraded', 'tampered'),
      }),
    ),
    attestation: anyFact(
      fc.record({ status: mostly<'affirming' | 'warning' | 'contraindicated'>('affirming', 'warning', 'contraindicated') }),
    ),
    intelligence: anyFact(
      fc.record({ category: mostly<'none' | 'low' | 'suspicious' | 'tamper'>('none', 'low', 'suspicious', 'tamper') }),
    ),
  })
  .map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Facts);
const sensible = actionNames.flatMap((action) => actions[action].resources.map((resource) => ({ action, resource })));
const anyRequest = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<{ action: string; resource: string }>(...sensible) },
  fc.record({
    action: fc.constantFrom<string>(...actionNames, 'unknown'),
    resource: fc.constantFrom<string>(...resources, 'unknown'),
  }),
);

test('10,000 random requests are decided as plain TypeScript decides them', () => {
  let allowed = 0;
  fc.assert(
    fc.property(anyRequest, anyFacts, (request, facts) => {
      const decided = decide(engine, request, facts, nowBootMs);
      expect(decided.isAllowed).toBe(oracle(request.action, request.resource, facts, nowBootMs));
      expect(decided.isAllowed).toBe(decided.fault === undefined);
      if (decided.isAllowed) allowed += 1;
    }),
    { numRuns: 10_000 },
  );
  expect(allowed).toBeGreaterThan(300);
});

test('taking any fact away never turns deny into allow', () => {
  fc.assert(
    fc.property(anyRequest, anyFacts, fc.constantFrom(...factNames), (request, facts, name) => {
      const fewer = Object.fromEntries(Object.entries(facts).filter(([key]) => key !== name));
      if (!decide(engine, request, facts, nowBootMs).isAllowed)
        expect(decide(engine, request, fewer, nowBootMs).isAllowed).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test('every rule that forbids has a code, and no rule that permits has one', () => {
  for (const { cedar, code } of rules) expect(cedar.startsWith('forbid')).toBe(code !== undefined);
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
});
