/** What every `NetPolicy` must do. */
import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import type { NetPolicy } from '#hal/ports/net-policy';
import type { NetworkPolicy } from '#protos/gen/types';

export const samplePolicies: readonly NetworkPolicy[] = [
  { mode: 'open', allowedUsers: [], deniedUsers: [1003] },
  { mode: 'listed', allowedUsers: [1002, 1001, 1001], deniedUsers: [] },
  { mode: 'tunnel', allowedUsers: [1001], deniedUsers: [1009], tunnel: { interface: 'wg0', user: 900, port: 51_820 } },
  { mode: 'silent', allowedUsers: [], deniedUsers: [] },
];

/** @param open a machine on which no policy is in force yet */
export const netPolicyContract = (name: string, open: () => Promise<NetPolicy>): void => {
  describe(`NetPolicy: ${name}`, () => {
    test('reads nothing before anything was applied', async () => {
      expect(unwrap(await (await open()).read())).toBeUndefined();
    });

    test.each(samplePolicies)('reads back what it applied: $mode', async (policy) => {
      const net = await open();
      const applied = unwrap(await net.apply(policy));
      expect(applied.digest).toEqual(net.expected(policy));
      expect(unwrap(await net.read())?.digest).toEqual(net.expected(policy));
    });

    test('has one digest for one meaning, whatever the order of its users, and another for each other policy', async () => {
      const net = await open();
      const listed = (allowedUsers: readonly number[]) => net.expected({ mode: 'listed', allowedUsers, deniedUsers: [] });
      expect(listed([3, 1, 2])).toEqual(listed([1, 2, 3, 3]));
      expect(new Set(samplePolicies.map((policy) => Buffer.from(net.expected(policy)).toString('hex'))).size).toBe(4);
    });

    test.each<NetworkPolicy>([
      { mode: 'tunnel', allowedUsers: [], deniedUsers: [] },
      { mode: 'open', allowedUsers: [], deniedUsers: [], tunnel: { interface: 'wg0', user: 1, port: 1 } },
      { mode: 'tunnel', allowedUsers: [], deniedUsers: [], tunnel: { interface: 'wg0', user: 1, port: 0 } },
      { mode: 'listed', allowedUsers: [7], deniedUsers: [7] },
    ])('refuses what cannot hold together, and leaves what was in force: %j', async (contradictory) => {
      const net = await open();
      const before = unwrap(await net.apply(samplePolicies[3] as NetworkPolicy));
      expect(await net.apply(contradictory)).toMatchObject({
        ok: false,
        fault: { category: 'policy', reason: 'contradictory' },
      });
      expect(unwrap(await net.read())?.digest).toEqual(before.digest);
    });
  });
};
