import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordsOf } from '#agents/audit/audit.fixture';
import { authorizer } from '#agents/mind/authorizer';
import { startTestMind, type TestMind } from '#agents/mind/mind.fixture';
import { postureKeeper } from '#agents/mind/posture-keeper';
import { encodeMessage } from '#hal/core/message';
import { codeOf, deny, type Result, unwrap } from '#hal/core/result';
import { versionFloor } from '#hal/core/version-floor';
import { virtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryManaged } from '#hal/memory/managed';
import type { NetworkMode, NetworkPolicy, PrivacyMode } from '#protos/gen/types';
import type { SignedBundle } from './bundles.ts';
import { type Enforcer, enforcer } from './enforcer.ts';

const networkOf = (mode: NetworkMode): NetworkPolicy => ({ mode, allowedUsers: [], deniedUsers: [] });
const bundle = (version: number, mode: NetworkMode, privacy: PrivacyMode = 'standard'): SignedBundle => ({
  kind: 'policy',
  payload: encodeMessage('PolicyBundle', { version, privacy, network: networkOf(mode) }),
  signer: new Uint8Array(16).fill(7),
});
const outcome = (result: Result<unknown>) => (result.ok ? 'in force' : codeOf(result.fault));

describe('bundles in force, over cuts', () => {
  let mind: TestMind;
  let managed: Enforcer;
  let ports: ReturnType<typeof memoryManaged>;
  /** Mind and hands keep what is on their disks; rules and switches are gone with the boot. */
  const disks = { mind: new Map<string, Uint8Array>(), hands: new Map<string, Uint8Array>() };
  let refusedMode: NetworkMode | undefined;
  let areSwitchesStuck = false;
  const refused = async () => deny('unavailable', 'not-supported');

  const posture = () => postureKeeper({ ...mind, programs: { hands: async () => true }, agents: () => [] });
  const boot = async () => {
    ports = memoryManaged(virtualClock());
    const { network, switches } = ports;
    mind = await startTestMind({
      ports: {
        ...ports,
        network: { ...network, apply: (policy) => (policy.mode === refusedMode ? refused() : network.apply(policy)) },
        switches: { ...switches, set: (name, isOn) => (areSwitchesStuck ? refused() : switches.set(name, isOn)) },
        floor: versionFloor(memoryStore(disks.hands)),
      },
    });
    managed = enforcer({ ...mind, authorizer: authorizer(mind, posture()), store: memoryStore(disks.mind) });
  };
  const reboot = async () => {
    await mind[Symbol.asyncDispose]();
    await boot();
    await managed.restore();
  };
  const isInForce = async (mode: NetworkMode): Promise<boolean> => {
    const read = await ports.network.read();
    const digest = read.ok ? read.value?.digest : undefined;
    return digest !== undefined && Buffer.compare(digest, ports.network.expected(networkOf(mode))) === 0;
  };

  beforeEach(async () => {
    disks.mind.clear();
    disks.hands.clear();
    refusedMode = undefined;
    areSwitchesStuck = false;
    await boot();
    expect(outcome(await managed.apply(bundle(1, 'silent')))).toBe('in force');
  });
  afterEach(() => mind[Symbol.asyncDispose]());

  test('are in force again after a reboot', async () => {
    await reboot();
    expect(await isInForce('silent')).toBe(true);
    expect(await managed.status()).toMatchObject([{ kind: 'policy', version: 1, holds: true }]);
  });

  test('one that the machine refuses takes nothing from the one before, now or after a reboot', async () => {
    refusedMode = 'listed';
    expect(outcome(await managed.apply(bundle(2, 'listed')))).toBe('unavailable/not-supported');
    expect(await managed.status()).toMatchObject([{ version: 1, holds: true }]);
    await reboot();
    expect(await isInForce('silent')).toBe(true);
    expect(await managed.status()).toMatchObject([{ version: 1, holds: true }]);
  });

  test('one that failed half way says so, and no reboot is left without a policy: the hands are above the old one', async () => {
    areSwitchesStuck = true;
    expect(outcome(await managed.apply(bundle(2, 'listed', 'lockdown')))).toBe('unavailable/not-supported');
    expect(await managed.status()).toMatchObject([{ version: 1, holds: false }]);
    areSwitchesStuck = false;
    await reboot();
    expect(await isInForce('listed')).toBe(true);
    expect(await managed.status()).toMatchObject([{ version: 2, holds: true }]);
  });

  /** The mind ends and starts again; the hands live on, with all they have in force. */
  const restartMind = () => {
    managed = enforcer({ ...mind, authorizer: authorizer(mind, posture()), store: memoryStore(disks.mind) });
    return managed.restore();
  };
  const privileged = () => recordsOf(mind.audit).filter(({ event }) => event === 'admin.bundle').length;

  test('those that still hold are left alone by a mind that starts, and leave no record', async () => {
    const size = mind.audit.status().size;
    await restartMind();
    expect(mind.audit.status().size).toBe(size);
    expect(await managed.status()).toMatchObject([{ kind: 'policy', version: 1, holds: true }]);
    expect(outcome(await managed.apply(bundle(2, 'listed')))).toBe('in force');
  });

  test('of one that holds in part only the rest is put back, and only that is recorded', async () => {
    unwrap(await managed.apply(bundle(2, 'listed', 'lockdown')));
    unwrap(await ports.switches.set('camera', true));
    const before = privileged();
    await restartMind();
    expect(privileged() - before).toBe(2);
    expect(unwrap(await ports.switches.read()).get('camera')).toBe(false);
  });

  test('one that a cut interrupted is put in force once more in full, and after that it only has to hold', async () => {
    areSwitchesStuck = true;
    await managed.apply(bundle(2, 'listed', 'lockdown'));
    areSwitchesStuck = false;
    await restartMind();
    expect(await managed.status()).toMatchObject([{ version: 2, holds: true }]);
    const size = mind.audit.status().size;
    await restartMind();
    expect(mind.audit.status().size).toBe(size);
  });

  test('a mode that asks for less switches nothing on: that is for a person to do', async () => {
    unwrap(await managed.apply(bundle(2, 'silent', 'private')));
    unwrap(await ports.switches.set('camera', false));
    unwrap(await managed.apply(bundle(3, 'silent', 'standard')));
    const states = unwrap(await ports.switches.read());
    expect([states.get('camera'), states.get('nfc'), states.get('wifi')]).toEqual([false, false, true]);
  });

  test('an older one is refused, by the mind and by the hands', async () => {
    await managed.apply(bundle(3, 'listed'));
    expect(outcome(await managed.apply(bundle(2, 'silent')))).toBe('policy/stale');
    disks.mind.clear();
    await reboot();
    expect(outcome(await managed.apply(bundle(2, 'silent')))).toBe('policy/stale');
  });
});
