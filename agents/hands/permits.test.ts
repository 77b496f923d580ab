import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeMessage } from '#hal/core/message';
import { maxPermitLifeMs, mintPermit, type Permit } from '#hal/core/permit';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { type HandsMethods, handsMethods } from '#hal/remote/hands-methods';
import type { MethodSpec, Request, UnaryMethod } from '#hal/remote/methods';
import { type RelayMethods, relayMethods } from '#hal/remote/relay-methods';
import { bootId, startTestHands, type TestHands } from './hands.fixture.ts';

/** Why each of these may be called without a permit. A new method has a reason here, or it needs a permit. */
const withoutPermit = {
  'hands.hello': 'gives the key that permits are made with',
  'tpm.identity': 'public keys and a certificate',
  'tpm.activate': 'opens a challenge for this one TPM; what comes out proves an enrolment and nothing else',
  'tpm.quote': 'signs a state with a restricted key, which signs nothing that was not measured',
  'tpm.readCounter': 'reads',
  'tpm.advanceCounter': 'anchors the audit log, before the record that a permit names is even there; only ever goes up',
  'keys.publicKey': 'reads',
  'keys.sign': 'the voice of the mind itself; each class of key speaks to its own readers',
  'keys.handle': 'the pseudonym that the relying party knows anyway',
  'keys.state': 'reads',
  'bootLog.read': 'reads',
  'platform.read': 'reads',
  'supply.read': 'reads',
  'signals.take': 'reads; a window that was handed out is of no use to anybody else',
  'provision.receipt': 'reads',
  'network.expected': 'computes',
  'network.read': 'reads',
  'switches.read': 'reads',
  'apps.read': 'reads',
  'update.write': 'goes on with an install that was begun under a permit; what is written is believed only when read back',
  'update.flush': 'goes on with an install that was begun under a permit',
  'update.finish': 'reads the slot back; the hash tree it writes behind the image must have the signed root',
  'update.abandon': 'ends an install; only its owner may',
  'update.status': 'reads',
  'update.take': 'goes on with an install that was begun under a permit; copies within the device what is read back later',
  'update.readRunning': 'reads',
  'update.health': 'reads; what it writes is its own probe',
} as const satisfies Partial<Record<keyof HandsMethods, string>>;

/** The same for the door of the relay, which has no other methods: nothing that changes anything may come to it. */
const withoutPermitForRelay = {
  'relay.storageKey': 'gives one user one key, always the same; reads',
} as const satisfies Record<keyof RelayMethods, string>;

type Effector = Exclude<UnaryMethod<HandsMethods>, keyof typeof withoutPermit>;

/** One well-formed request for each effector. */
const requests: { readonly [K in Effector]: Request<HandsMethods, K> } = {
  'power.reboot': { cause: 'asked-by-user' },
  'network.apply': { version: 1, policy: { mode: 'silent', allowedUsers: [], deniedUsers: [] } },
  'switches.set': { name: 'camera', isOn: false },
  'apps.allow': { version: 1, apps: [] },
  'apps.block': { app: 'an-app', untilBootMs: 60_000 },
  'apps.start': { app: 'an-app' },
  'keys.rotate': { keyClass: 'handle', epoch: 2 },
  'keys.revoke': { keyClass: 'issuer', keyId: new Uint8Array(32) },
  'update.begin': { statement: new Uint8Array(1), owner: 'agent', isForced: false },
  'update.arm': { statement: new Uint8Array(1) },
  'update.commit': {},
  'update.rollBack': { digest: new Uint8Array(32) },
  'update.giveUp': { reason: 'services' },
  'update.raiseFloor': { digest: new Uint8Array(32) },
};

describe('an effector of the hands (SR-01)', () => {
  let clock: VirtualClock;
  let device: TestHands;
  beforeEach(async () => {
    clock = virtualClock();
    await clock.advance(10_000);
    device = await startTestHands(clock);
  });
  afterEach(() => device[Symbol.asyncDispose]());

  const cause = 'asked-by-user';
  /** A permit for this reboot in this life, unless changed. */
  const permitFor = async (changed: Partial<Permit> = {}, key?: Uint8Array): Promise<Uint8Array> => {
    const { permitKey, lastSequence } = unwrap(await device.hands.hello());
    return mintPermit(key ?? permitKey, {
      audience: 'power.reboot',
      arguments: encodeMessage('RebootRequest', { cause }),
      bootId,
      sequence: lastSequence + 1,
      notAfterBootMs: clock.bootMs() + 30_000,
      policyDigest: new Uint8Array(32),
      auditLeaf: new Uint8Array(32),
      ...changed,
    });
  };
  const outcome = (answered: Result<unknown>) => (answered.ok ? 'done' : codeOf(answered.fault));
  const reboot = async (permit: Uint8Array, asked = cause) =>
    outcome(await device.client.call('power.reboot', { cause: asked }, { permit }));

  test('acts under a permit for exactly this call', async () => {
    expect(await reboot(await permitFor())).toBe('done');
    expect(device.reboots).toEqual([cause]);
  });

  test('does nothing without a permit, and says so in its own log', async () => {
    expect(outcome(await device.client.call('power.reboot', { cause }))).toBe('authorization/permit-missing');
    expect(device.reboots).toEqual([]);
    expect(device.log.entries).toMatchObject([{ event: 'call.refused', fields: { code: 'authorization/permit-missing' } }]);
  });

  test('does nothing with a permit for other arguments', async () => {
    expect(await reboot(await permitFor(), 'another-cause')).toBe('authorization/permit-arguments');
    expect(device.reboots).toEqual([]);
  });

  test('does nothing with a permit for another effector', async () => {
    expect(await reboot(await permitFor({ audience: 'power.suspend' }))).toBe('authorization/permit-audience');
    expect(device.reboots).toEqual([]);
  });

  test('acts once under one permit, and never under an older one', async () => {
    const older = await permitFor({ sequence: 1 });
    const newer = await permitFor({ sequence: 2 });
    expect(await reboot(newer)).toBe('done');
    expect(await reboot(newer)).toBe('authorization/permit-replayed');
    expect(await reboot(older)).toBe('authorization/permit-replayed');
    expect(device.reboots).toEqual([cause]);
  });

  test('takes a permit until the millisecond that it names, and none that would live longer than a minute', async () => {
    const permit = await permitFor({ notAfterBootMs: clock.bootMs() + 1_000 });
    const another = await permitFor({ notAfterBootMs: clock.bootMs() + 1_000, sequence: 2 });
    await clock.advance(1_000);
    expect(await reboot(permit)).toBe('done');
    await clock.advance(1);
    expect(await reboot(another)).toBe('authorization/permit-expired');
    const longLived = await permitFor({ notAfterBootMs: clock.bootMs() + maxPermitLifeMs + 1 });
    expect(await reboot(longLived)).toBe('authorization/permit-expired');
    expect(device.reboots).toEqual([cause]);
  });

  test('does nothing with a permit of another boot', async () => {
    expect(await reboot(await permitFor({ bootId: new Uint8Array(16).fill(1) }))).toBe('authorization/permit-boot');
    expect(device.reboots).toEqual([]);
  });

  test('does nothing with a permit of an earlier life of the hands: the key is another one', async () => {
    const permit = await permitFor();
    await device.restart();
    expect(await reboot(permit)).toBe('authorization/permit-invalid');
    expect(device.reboots).toEqual([]);
    expect(await reboot(await permitFor())).toBe('done');
  });

  test('does nothing when one bit of the permit is not as it was made, wherever it is', async () => {
    const permit = await permitFor();
    for (let at = 0; at < permit.length; at += 7) {
      const changed = permit.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(await reboot(changed)).toBe('authorization/permit-invalid');
    }
    for (const length of [1, permit.length - 1])
      expect(await reboot(permit.slice(0, length))).toBe('authorization/permit-invalid');
    expect(await reboot(Buffer.concat([permit, permit]))).toBe('authorization/permit-invalid');
    expect(await reboot(await permitFor({}, new Uint8Array(32)))).toBe('authorization/permit-invalid');
    expect(device.reboots).toEqual([]);
    expect(await reboot(permit)).toBe('done');
  });

  test('uses no permit up for a call that was refused', async () => {
    const permit = await permitFor();
    expect(await reboot(permit, 'another-cause')).toBe('authorization/permit-arguments');
    expect(await reboot(permit)).toBe('done');
  });

  test('is every method of the door but those that are known to need no permit', () => {
    const free = Object.entries<MethodSpec>(handsMethods).filter(([, { needsPermit }]) => needsPermit !== true);
    expect(free.map(([method]) => method).sort()).toEqual(Object.keys(withoutPermit).sort());
    expect(Object.keys(requests).sort()).toEqual(
      Object.keys(handsMethods)
        .filter((method) => !Object.hasOwn(withoutPermit, method))
        .sort(),
    );
  });

  test('is none of the methods that the beacon relay has', () => {
    const methods = Object.entries<MethodSpec>(relayMethods);
    expect(methods.map(([method]) => method)).toEqual(Object.keys(withoutPermitForRelay));
    expect(methods.filter(([, { needsPermit }]) => needsPermit === true)).toEqual([]);
  });

  test.each(Object.keys(requests) as Effector[])('%s acts under its own permit, and not without one', async (method) => {
    const request = requests[method];
    const act = async (permit?: Uint8Array) =>
      outcome(await device.client.call(method, request as never, permit === undefined ? {} : { permit }));
    expect(await act()).toBe('authorization/permit-missing');
    const spec: MethodSpec = handsMethods[method];
    const exact = { audience: method, arguments: encodeMessage(spec.request, request as never) };
    const other = method === 'power.reboot' ? 'network.apply' : 'power.reboot';
    expect(await act(await permitFor({ ...exact, audience: other }))).toBe('authorization/permit-audience');
    expect(await act(await permitFor({ ...exact, arguments: Uint8Array.of(0) }))).toBe('authorization/permit-arguments');
    const permit = await permitFor(exact);
    expect(await act(permit)).not.toMatch(/^(?:authorization|protocol)\//);
    expect(await act(permit)).toBe('authorization/permit-replayed');
  });
});
