/** What is in force on the network from the first moment of the hands, without a mind. */
import { beforeEach, describe, expect, test } from 'vitest';
import { equalBytes } from '#hal/core/bytes';
import { codeOf, deny, type Result, unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryNetPolicy } from '#hal/memory/net-policy';
import type { NetPolicy } from '#hal/ports/net-policy';
import type { NetworkPolicy } from '#protos/gen/types';
import { keptNetwork } from './kept-network.ts';

const listed: NetworkPolicy = { mode: 'listed', allowedUsers: [1001], deniedUsers: [1002] };
const tunnel: NetworkPolicy = {
  mode: 'tunnel',
  allowedUsers: [1001],
  deniedUsers: [],
  tunnel: { interface: 'wg0', user: 900, port: 51_820 },
};
const silent: NetworkPolicy = { mode: 'silent', allowedUsers: [], deniedUsers: [] };
const code = (result: Result<unknown>): string => (result.ok ? 'done' : codeOf(result.fault));

describe('the network policy that outlives the hands', () => {
  let disk: Map<string, Uint8Array>;
  /** Rules are the kernel's: they outlive the hands, and are gone with the boot. */
  let kernel: NetPolicy;
  let applied: NetworkPolicy[];
  let refused: (policy: NetworkPolicy) => boolean;
  let network: ReturnType<typeof keptNetwork>;
  const newLife = (): void => {
    network = keptNetwork(
      {
        ...kernel,
        apply(policy) {
          applied.push(policy);
          return refused(policy) ? Promise.resolve(deny('unavailable', 'not-supported')) : kernel.apply(policy);
        },
      },
      memoryStore(disk),
    );
  };
  const boot = (): void => {
    kernel = memoryNetPolicy();
    applied = [];
    newLife();
  };
  const isInForce = async (policy: NetworkPolicy): Promise<boolean> => {
    const state = unwrap(await network.read());
    return state !== undefined && equalBytes(state.digest, network.expected(policy));
  };
  beforeEach(() => {
    disk = new Map();
    refused = () => false;
    boot();
  });

  test('nothing is in force on a device that never had one, and that is no fault', async () => {
    expect(code(await network.restore())).toBe('done');
    expect(unwrap(await network.read())).toBeUndefined();
    expect(network.fault()).toBeUndefined();
  });

  test.each([listed, tunnel, silent])('is in force again after a boot: $mode', async (policy) => {
    unwrap(await network.apply({ mode: 'open', allowedUsers: [], deniedUsers: [] }));
    unwrap(await network.apply(policy));
    boot();
    expect(code(await network.restore())).toBe('done');
    expect(await isInForce(policy)).toBe(true);
    expect(network.fault()).toBeUndefined();
  });

  test('rules that still hold are left as they are: what the kernel blocked and counted stays', async () => {
    unwrap(await network.apply(listed));
    applied = [];
    newLife();
    expect(code(await network.restore())).toBe('done');
    expect(applied).toEqual([]);
  });

  test('one that was refused is not kept', async () => {
    unwrap(await network.apply(listed));
    refused = ({ mode }) => mode === 'tunnel';
    expect(code(await network.apply(tunnel))).toBe('unavailable/not-supported');
    boot();
    expect(code(await network.restore())).toBe('done');
    expect(await isInForce(listed)).toBe(true);
  });

  test('one that could not be kept is said not to be in force', async () => {
    network = keptNetwork(kernel, { ...memoryStore(disk), put: () => deny('unavailable', 'storage-failed') });
    expect(code(await network.apply(listed))).toBe('unavailable/storage-failed');
  });

  test('nothing passes where it cannot be put in force again, until another policy is', async () => {
    unwrap(await network.apply(listed));
    boot();
    refused = ({ mode }) => mode === 'listed';
    expect(code(await network.restore())).toBe('unavailable/not-supported');
    expect(await isInForce(silent)).toBe(true);
    expect(network.fault()).toMatchObject({ reason: 'not-supported' });
    unwrap(await network.apply(tunnel));
    expect(network.fault()).toBeUndefined();
    boot();
    expect(code(await network.restore())).toBe('done');
    expect(await isInForce(tunnel)).toBe(true);
  });

  test.each<[string, (record: Uint8Array) => Uint8Array]>([
    ['has one bit changed', (record) => record.with(-1, (record.at(-1) ?? 0) ^ 1)],
    ['is cut short', (record) => record.slice(0, 33)],
    ['is empty', () => new Uint8Array()],
  ])('nothing passes where what was kept %s', async (_, change) => {
    unwrap(await network.apply(listed));
    for (const [key, record] of disk) disk.set(key, change(record));
    boot();
    expect(code(await network.restore())).toBe('unavailable/storage-failed');
    expect(await isInForce(silent)).toBe(true);
  });

  test('what a restore that failed let through is not kept in place of the policy', async () => {
    unwrap(await network.apply(listed));
    boot();
    refused = ({ mode }) => mode === 'listed';
    await network.restore();
    refused = () => false;
    boot();
    expect(code(await network.restore())).toBe('done');
    expect(await isInForce(listed)).toBe(true);
  });
});
