/** The hands restart alone: what only they remembered comes back without anybody asking for it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordsOf } from '#agents/audit/audit.fixture';
import { authorizer } from '#agents/mind/authorizer';
import { startTestMind, type TestMind } from '#agents/mind/mind.fixture';
import type { MindParts } from '#agents/mind/parts';
import { postureKeeper } from '#agents/mind/posture-keeper';
import { encodeMessage } from '#hal/core/message';
import { deny, unwrap } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryManaged } from '#hal/memory/managed';
import type { PolicyBundle } from '#protos/gen/types';
import { policyAgent } from './agent.ts';
import { type Enforcer, enforcer } from './enforcer.ts';

const signer = new Uint8Array(16).fill(7);
const policy = (privacy: PolicyBundle['privacy']) =>
  encodeMessage('PolicyBundle', { version: 1, privacy, network: { mode: 'silent', allowedUsers: [], deniedUsers: [] } });
const apps = encodeMessage('AppManifest', {
  version: 1,
  apps: [{ app: 'messenger', digest: new Uint8Array(32).fill(1), user: 1001, confinement: 'sealed' }],
});

describe('what is managed, over lives of the hands', () => {
  let mind: TestMind;
  let managed: Enforcer;
  let ports: ReturnType<typeof memoryManaged>;
  let blockedUsers: number[];
  let isRefusing: boolean;
  let ending: AbortController;
  /** What the adapters of one life of the hands hold in memory. */
  const newAdapters = () => {
    ports = memoryManaged(virtualClock());
  };
  const latePorts = {
    network: late(() => ({
      ...ports.network,
      block: async (user: number, untilBootMs: number) => {
        blockedUsers.push(user);
        return ports.network.block(user, untilBootMs);
      },
    })),
    switches: late(() => ports.switches),
    apps: late(() => ({
      ...ports.apps,
      allow: (manifest: Parameters<typeof ports.apps.allow>[0]) =>
        isRefusing ? Promise.resolve(deny('unavailable', 'not-supported')) : ports.apps.allow(manifest),
    })),
  };

  beforeEach(async () => {
    ending = new AbortController();
    newAdapters();
    blockedUsers = [];
    isRefusing = false;
    mind = await startTestMind({ ports: latePorts });
    const posture = postureKeeper({ ...mind, programs: { hands: async () => true }, agents: () => [] });
    managed = enforcer({ ...mind, authorizer: authorizer(mind, posture), store: memoryStore() });
    unwrap(await managed.apply({ kind: 'policy', payload: policy('lockdown'), signer }));
    unwrap(await managed.apply({ kind: 'apps', payload: apps, signer }));
    const { permitKey } = unwrap(await mind.hands.hello());
    void policyAgent(managed, permitKey).run(mind as unknown as MindParts, ending.signal);
  });
  afterEach(async () => {
    ending.abort();
    await mind[Symbol.asyncDispose]();
  });

  const administrative = () => recordsOf(mind.audit).filter(({ event }) => event === 'admin.bundle').length;
  const startApp = () => ports.apps.start('messenger');
  const restartHands = async () => {
    newAdapters();
    await mind.device.restart();
  };
  const until = (fact: () => Promise<boolean>) =>
    expect
      .poll(
        async () => {
          await mind.clock.advance(1_000);
          return fact();
        },
        { timeout: 5_000, interval: 5 },
      )
      .toBe(true);
  const doAllHold = async () => {
    const states = await managed.status();
    return states.length === 2 && states.every(({ holds }) => holds);
  };

  test('is in force again after they restarted alone: rules, switches, apps', async () => {
    await restartHands();
    expect(await doAllHold()).toBe(false);
    expect((await startApp()).ok).toBe(false);
    await until(doAllHold);
    expect((await startApp()).ok).toBe(true);
    const off = [...unwrap(await ports.switches.read())].filter(([, isOn]) => !isOn).map(([name]) => name);
    expect(off.sort()).toEqual(['camera', 'location', 'microphone', 'nfc']);
  });

  test('is left alone, and leaves no record, as long as they live', async () => {
    const before = administrative();
    for (let second = 0; second < 5; second += 1) await until(doAllHold);
    expect(administrative()).toBe(before);
  });

  test('is tried once in each life where they refuse it', async () => {
    isRefusing = true;
    await restartHands();
    await until(async () => mind.log.entries.some(({ event }) => event === 'bundle.not-in-force'));
    const before = administrative();
    for (let second = 0; second < 5; second += 1) await mind.clock.advance(1_000);
    expect(administrative()).toBe(before);
    isRefusing = false;
    await restartHands();
    await until(doAllHold);
  });

  test('closes the path of an app that was blocked before it was known as whom it runs', async () => {
    await restartHands();
    unwrap(await ports.apps.block('messenger', 60_000));
    await until(doAllHold);
    expect(blockedUsers).toEqual([1001]);
  });
});

/** A port that is looked up at each call. */
function late<T extends object>(present: () => T): T {
  return new Proxy({} as T, { get: (_, name) => present()[name as keyof T] });
}
