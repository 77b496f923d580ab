import { beforeEach, describe, expect, test } from 'vitest';
import { decide } from '#agents/decision/decide';
import type { Facts } from '#agents/decision/facts';
import { categories } from '#hal/core/faults';
import { encodeMessage } from '#hal/core/message';
import { codeOf, type Fault } from '#hal/core/result';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import type { Posture } from '#protos/gen/types';
import { affirming, engine } from './mind.fixture.ts';
import { isRefusal, lifeMs, maxParties, trust as newTrust, ownParty, postureAgeMs, type Trust } from './trust.ts';

const subject = 'a5'.repeat(16);
const handle = 'b7'.repeat(16);
const hourMs = 3_600_000;
const unreachable: Fault = { category: 'unavailable', reason: 'peer-unreachable' };
const refused: Fault = { category: 'attestation', reason: 'log-replay' };
const posture: Posture = {
  level: 'basic',
  headline: 'as-expected',
  lifecycle: 'active',
  measuredMs: 0,
  findings: [
    { id: 'boot-log', result: 'pass', level: 'basic', ageMs: 0, items: [] },
    { id: 'installed-release', result: 'pass', level: 'basic', ageMs: 0, items: [] },
  ],
};

describe('what the mind believes', () => {
  let clock: VirtualClock;
  let trust: Trust;
  beforeEach(async () => {
    clock = virtualClock();
    await clock.advance(5_000);
    trust = newTrust(() => clock.bootMs());
  });

  const present = { audit: 'intact', lifecycle: 'active', isTimeKnown: true, isEnrolled: true } as const;
  const facts = (changed: Partial<Parameters<Trust['facts']>[0]> = {}): Facts => trust.facts({ ...present, ...changed });
  const ask = (action: string, resource: string, from = facts()) => {
    const { isAllowed, fault } = decide(engine, { action, resource }, from, clock.bootMs());
    return isAllowed ? 'allowed' : fault === undefined ? 'denied' : codeOf(fault);
  };
  const message = () => ask('open-secure-messaging', 'messaging');
  const reboot = () => ask('reboot-device', 'device');

  const signIn = (forMs = 24 * hourMs): void => {
    trust.holdHandle({ handle, epoch: 1 });
    trust.holdActor({ subject, assurance: 'multi-factor' }, forMs);
    trust.holdSession({ subject, handle, state: 'open', recovery: 'none', permission: 'granted' }, forMs);
  };
  const measure = (): void => {
    trust.holdPosture(posture, { value: true, measuredBootMs: clock.bootMs() }, trust.changes());
  };
  /** Everything established, as on a good day. */
  const settle = (): void => {
    signIn();
    trust.holdResult(ownParty, affirming);
    trust.holdEngine({ value: { engine: 'cpu', version: '1' }, measuredBootMs: clock.bootMs() });
    measure();
  };

  test('allows on a good day', () => {
    settle();
    expect([message(), reboot()]).toEqual(['allowed', 'allowed']);
  });

  test('keeps an affirming result until it expires while the verifier cannot be asked (SR-13)', async () => {
    settle();
    trust.holdAttestationFault(unreachable);
    expect(message()).toBe('allowed');
    await clock.advance(lifeMs(affirming));
    measure();
    expect(message()).toBe('allowed');
    await clock.advance(1);
    measure();
    expect(message()).toBe('attestation/stale');
  });

  test('ends what was affirmed at once when the verifier refuses', () => {
    settle();
    trust.holdAttestationFault(refused);
    expect(message()).toBe('attestation/missing');
    trust.holdAttestationFault(unreachable);
    expect(message()).toBe('allowed');
  });

  test('believes a new result after a refusal', () => {
    settle();
    trust.holdAttestationFault(refused);
    trust.holdResult(ownParty, affirming);
    expect(trust.attestationFault()).toBeUndefined();
    expect(message()).toBe('allowed');
  });

  test('decides by the result for our own relying party, whatever others were told', () => {
    settle();
    trust.holdResult('command', { ...affirming, relyingParty: 'command', status: 'contraindicated' });
    expect(message()).toBe('allowed');
    trust.holdResult(ownParty, { ...affirming, status: 'warning' });
    expect(message()).toBe('attestation/not-affirming');
    trust.holdResult('command', { ...affirming, relyingParty: 'command' });
    expect(message()).toBe('attestation/not-affirming');
  });

  test('holds as many results as an answer can list, forgets the oldest first, and never our own', () => {
    settle();
    for (let party = 0; party < 3 * maxParties; party += 1) trust.holdResult(`party-${party}`, affirming);
    expect(trust.results().size).toBe(maxParties);
    expect(trust.result(ownParty)?.result).toBe(affirming);
    expect(trust.result(`party-${3 * maxParties - 1}`)?.result).toBe(affirming);
    expect(trust.result('party-0')).toBeUndefined();
    const entries = [...trust.results()].map(([relyingParty]) => ({
      relyingParty,
      epoch: 1,
      handle: affirming.handle,
      isBound: true,
    }));
    expect(() => encodeMessage('HandleList', { entries })).not.toThrow();
  });

  test('calls the categories of the mission a refusal, and the three operational ones not', () => {
    const refusing = categories.filter((category) => isRefusal({ category, reason: 'any' }));
    expect(categories.filter((category) => !refusing.includes(category))).toEqual(['protocol', 'resource', 'unavailable']);
  });

  test('still restarts when the verifier, the engine and every measurement are long gone (SR-13)', async () => {
    signIn();
    trust.holdAttestationFault(unreachable);
    await clock.advance(24 * hourMs);
    expect(reboot()).toBe('allowed');
    expect(ask('reboot-device', 'device', facts({ audit: 'tampered', isTimeKnown: false, lifecycle: 'suspended' }))).toBe(
      'allowed',
    );
    trust.holdAttestationFault(refused);
    expect(reboot()).toBe('allowed');
  });

  test('knows its own handle for the whole boot, and shows it to nobody before a verifier bound it', async () => {
    trust.holdHandle({ handle, epoch: 3 });
    await clock.advance(30 * 24 * hourMs);
    expect(facts().handle).toMatchObject({ value: { handle, epoch: 3 }, measuredBootMs: clock.bootMs() });
    expect(facts({ isEnrolled: false }).handle).toBeUndefined();
  });

  test('lets the person and the session go when their statements end', async () => {
    settle();
    await clock.advance(24 * hourMs);
    expect(reboot()).toBe('allowed');
    await clock.advance(1);
    expect(reboot()).toBe('identity/assertion-expired');
    trust.holdActor({ subject, assurance: 'multi-factor' }, hourMs);
    expect(reboot()).toBe('identity/session-expired');
  });

  test('lets a posture go after a minute', async () => {
    settle();
    await clock.advance(postureAgeMs);
    expect(message()).toBe('allowed');
    await clock.advance(1);
    expect(message()).toBe('posture/os-trust-missing');
  });

  test('lets the last self-test of the engine go after an hour', async () => {
    settle();
    const again = async () => {
      trust.holdResult(ownParty, affirming);
      measure();
      return message();
    };
    await clock.advance(hourMs);
    expect(await again()).toBe('allowed');
    await clock.advance(1);
    expect(await again()).toBe('intelligence/stale');
    trust.holdEngine({ value: undefined, measuredBootMs: clock.bootMs() });
    expect(await again()).toBe('intelligence/missing');
  });

  test('is not made fresh by a wall clock that was set back', async () => {
    settle();
    await clock.advance(postureAgeMs + 1);
    clock.jumpWall(-365 * 24 * hourMs);
    expect(message()).toBe('posture/os-trust-missing');
  });

  test('knows which held thing a measurement has not seen yet', () => {
    settle();
    expect(trust.isPostureOutdated()).toBe(false);
    for (const change of [
      () => trust.holdResult(ownParty, affirming),
      () => trust.holdAttestationFault(unreachable),
      () => trust.holdEngine({ value: undefined, measuredBootMs: clock.bootMs() }),
      () => trust.holdEngine({ value: { engine: 'cpu', version: '1' }, measuredBootMs: clock.bootMs() }),
    ]) {
      change();
      expect(trust.isPostureOutdated()).toBe(true);
      measure();
      expect(trust.isPostureOutdated()).toBe(false);
    }
    const begun = trust.changes();
    trust.holdResult(ownParty, affirming);
    trust.holdPosture(posture, { value: true, measuredBootMs: clock.bootMs() }, begun);
    expect(trust.isPostureOutdated()).toBe(true);
  });

  test.each([
    ['a boot', 'boot-log', 'integrity/boot-unverified'],
    ['a release', 'installed-release', 'integrity/release-unverified'],
  ])('takes %s for verified only where the finding passed', (_, wanted, code) => {
    settle();
    const others = posture.findings.filter(({ id }) => id !== wanted);
    const hold = (findings: Posture['findings']) =>
      trust.holdPosture({ ...posture, findings }, { value: true, measuredBootMs: clock.bootMs() }, trust.changes());
    for (const result of ['fail', 'unknown', 'stale', 'not-applicable'] as const) {
      hold([...others, { id: wanted, result, level: 'basic', ageMs: 0, items: [] }]);
      expect(message()).toBe(code);
    }
    hold(others);
    expect(message()).toBe(code);
  });

  test('has no fact that nobody told it', () => {
    expect(Object.keys(facts())).toEqual(['policy']);
  });
});
