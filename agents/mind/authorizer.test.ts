import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { askedBurst } from '#agents/audit/admission';
import { recordsOf } from '#agents/audit/audit.fixture';
import { toHex } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { codeOf, deny, done, type Result, unwrap } from '#hal/core/result';
import { leafHash } from '#hal/crypto/merkle';
import type { Posture } from '#protos/gen/types';
import { type Authorized, type Authorizer, authorizer } from './authorizer.ts';
import { startTestMind, type TestMind, type TestMindOptions } from './mind.fixture.ts';

const subject = 'a5'.repeat(16);
const cause = 'asked-by-user';
const posture: Posture = { level: 'basic', headline: 'as-expected', lifecycle: 'active', measuredMs: 0, findings: [] };

describe('the authorizer', () => {
  let mind: TestMind;
  let door: Authorizer;
  /** How often the posture was measured. */
  let measured = 0;

  const start = async (options: TestMindOptions = {}) => {
    mind = await startTestMind(options);
    const { trust, clock } = mind;
    measured = 0;
    door = authorizer(mind, {
      refresh: async () => {
        measured += 1;
        trust.holdPosture(posture, { value: true, measuredBootMs: clock.bootMs() }, trust.changes());
        return posture;
      },
    });
  };
  afterEach(() => mind[Symbol.asyncDispose]());

  /** A person with an open session on this device: all that a reboot asks for. */
  const signIn = (): void => {
    const handle = mind.trust.handle()?.handle ?? '';
    mind.trust.holdActor({ subject, assurance: 'multi-factor' }, 3_600_000);
    mind.trust.holdSession({ subject, handle, state: 'open', recovery: 'none', permission: 'granted' }, 3_600_000);
  };
  const reboot = () =>
    door.perform(
      { action: 'reboot-device', resource: 'device', event: 'admin.reboot', call: mind.hands.effectors.reboot(cause) },
      'app',
    );
  const outcome = (performed: Result<Authorized>) => {
    if (!performed.ok) return codeOf(performed.fault);
    const { isAllowed, fault } = performed.value.decision;
    return isAllowed ? 'done' : fault === undefined ? 'denied' : codeOf(fault);
  };
  const administrative = () => recordsOf(mind.audit).filter(({ category }) => category === 'administration');
  const permitsUsed = async () => unwrap(await mind.hands.hello()).lastSequence;

  test('allows a person nothing that the log does not take (SR-14)', async () => {
    await start();
    signIn();
    const startApp = { action: 'start-app', resource: 'apps' };
    for (let written = 0; written < askedBurst; written += 1) await door.authorize(startApp, 'app');
    const { decision } = await door.authorize(startApp, 'app');
    expect([decision.isAllowed, decision.fault && codeOf(decision.fault)]).toEqual([false, 'resource/rate-limited']);
    expect((await door.authorize(startApp, 'another')).decision.isAllowed).toBe(true);
  });

  test('lets the hands do what was allowed, under one permit', async () => {
    await start();
    signIn();
    expect(outcome(await reboot())).toBe('done');
    expect(mind.device.reboots).toEqual([cause]);
    expect(await permitsUsed()).toBe(1);
    expect(outcome(await reboot())).toBe('done');
    expect(await permitsUsed()).toBe(2);
  });

  test('leaves an administrative record with all six fields: what was decided, then what came of it', async () => {
    await start();
    signIn();
    await reboot();
    const [allowed, ran, ...others] = administrative();
    expect(others).toEqual([]);
    for (const [record, was] of [
      [allowed, 'allowed'],
      [ran, 'done'],
    ] as const) {
      expect(record).toMatchObject({ event: 'admin.reboot', action: 'reboot-device', resource: 'device', outcome: was });
      expect(toHex(record?.actor ?? new Uint8Array())).toBe(subject);
      expect(record?.timeMs).toBe(mind.clock.nowMs());
      const exactRequest = createHash('sha256').update(encodeMessage('RebootRequest', { cause })).digest();
      expect(toHex(record?.changeReference ?? new Uint8Array())).toBe(toHex(exactRequest));
      expect(record?.retention).toBe('administrative');
    }
  });

  test('names in the permit the record of the decision, which is in the log before the hands act', async () => {
    const seen: string[] = [];
    await start({
      ports: {
        power: {
          reboot: async () => {
            seen.push(...recordsOf(mind.audit).map(({ event }) => event));
            return done;
          },
        },
      },
    });
    signIn();
    const performed = unwrap(await reboot());
    expect(seen).toEqual(['authz.decision', 'admin.reboot']);
    const [decision] = mind.audit.list(0, 1);
    expect(toHex(unwrap(performed.receipt).leaf)).toBe(toHex(leafHash(decision?.record ?? new Uint8Array())));
  });

  test('records as failed what the hands could not do, with the code', async () => {
    await start({ ports: { power: { reboot: async () => deny('unavailable', 'not-supported') } } });
    signIn();
    expect(outcome(await reboot())).toBe('unavailable/not-supported');
    expect(administrative()).toMatchObject([
      { outcome: 'allowed' },
      { outcome: 'failed', code: 'unavailable/not-supported', action: 'reboot-device', resource: 'device' },
    ]);
  });

  test('makes no permit and no call for what was denied', async () => {
    await start();
    expect(outcome(await reboot())).toBe('identity/actor-missing');
    expect(await permitsUsed()).toBe(0);
    expect(mind.device.reboots).toEqual([]);
    expect(administrative()).toEqual([]);
    expect(recordsOf(mind.audit)).toMatchObject([
      { event: 'authz.decision', outcome: 'denied', code: 'identity/actor-missing', action: 'reboot-device' },
    ]);
  });

  test.each<[string, Parameters<typeof startTestMind>[0]]>([
    ['is full', { audit: { capacity: { records: 0, reserved: 0 } } }],
    ['cannot be anchored', { audit: { advanceCounter: async () => deny('unavailable', 'tpm-failed') } }],
    ['is not what it was', { audit: { readCounter: async () => ({ ok: true, value: { value: 9, base: 1 } }) } }],
  ])('restarts the device also when the audit log %s (SR-14)', async (_, options) => {
    await start(options);
    signIn();
    expect(outcome(await reboot())).toBe('done');
    expect(mind.audit.status().state).not.toBe('intact');
    expect(mind.device.reboots).toEqual([cause]);
  });

  test('counts what it records of an effect against whoever asked for it (SR-14)', async () => {
    await start();
    signIn();
    for (let count = 0; count < askedBurst - 1; count += 1)
      unwrap(await mind.audit.record({ event: 'net.link', outcome: 'done', source: 'app' }));
    const call = mind.hands.effectors.startApp({ app: 'an-app' });
    await door.perform({ action: 'start-app', resource: 'apps', event: 'authz.start', call }, 'app');
    const events = recordsOf(mind.audit).map(({ event }) => event);
    expect(events.filter((event) => event !== 'net.link')).toEqual(['authz.decision']);
    expect((await mind.audit.record({ event: 'net.link', outcome: 'done' })).ok).toBe(true);
  });

  test('says in the local log that a record was not written', async () => {
    await start({ audit: { capacity: { records: 0, reserved: 0 } } });
    signIn();
    await reboot();
    const unwritten = { level: 'warn', event: 'audit.unwritten', fields: { code: 'resource/storage-full' } };
    expect(mind.log.entries).toEqual([unwritten, unwritten]);
  });

  test('permits nothing in another boot of the hands, and records that nothing was done', async () => {
    await start();
    signIn();
    await mind.device.restart(new Uint8Array(16).fill(9));
    expect(outcome(await reboot())).toBe('authorization/permit-boot');
    expect(mind.device.reboots).toEqual([]);
    expect(administrative()).toMatchObject([{ outcome: 'allowed' }, { outcome: 'failed', code: 'authorization/permit-boot' }]);
  });

  test('permits anew after the hands started again in the same boot: the new key counts', async () => {
    await start();
    signIn();
    await reboot();
    await mind.device.restart();
    expect(outcome(await reboot())).toBe('done');
  });

  test('does nothing, and says why, when the hands are gone', async () => {
    await start();
    signIn();
    await mind.device.stop();
    expect(outcome(await reboot())).toBe('unavailable/program-down');
    expect(mind.device.reboots).toEqual([]);
  });

  test('looks at a posture of five seconds ago, and measures one that is older or outdated', async () => {
    await start();
    const ask = () => door.authorize({ action: 'open-secure-messaging', resource: 'messaging' }, 'app');
    await ask();
    expect(measured).toBe(1);
    await mind.clock.advance(5_000);
    await ask();
    expect(measured).toBe(1);
    await mind.clock.advance(1);
    await ask();
    expect(measured).toBe(2);
    mind.trust.holdEngine({ value: undefined, measuredBootMs: mind.clock.bootMs() });
    await ask();
    expect(measured).toBe(3);
  });

  test('writes no word of an app that this device does not decide on', async () => {
    await start();
    await door.authorize({ action: 'call-somebody-by-name', resource: 'messaging' }, 'app');
    await door.authorize({ action: 'reboot-device', resource: 'toString' }, 'app');
    const [first, second, ...others] = recordsOf(mind.audit);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ code: 'authorization/action-unknown', resource: 'messaging' });
    expect(first?.action).toBeUndefined();
    expect(second).toMatchObject({ code: 'authorization/resource-unknown', action: 'reboot-device' });
    expect(second?.resource).toBeUndefined();
  });

  test('writes who asked for what under which handle, and nothing where a fact is not there', async () => {
    await start();
    await door.authorize({ action: 'open-secure-messaging', resource: 'messaging' }, 'app');
    signIn();
    await door.authorize({ action: 'open-secure-messaging', resource: 'messaging' }, 'app');
    const [before, after] = recordsOf(mind.audit);
    expect(before?.actor).toBeUndefined();
    expect(toHex(after?.actor ?? new Uint8Array())).toBe(subject);
    expect(toHex(after?.handle ?? new Uint8Array())).toBe(mind.trust.handle()?.handle);
  });
});
