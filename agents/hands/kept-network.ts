/**
 * The network policy that outlives the hands: what was applied last is in force again before they serve anybody.
 *
 * Without it the network would be open from each boot until the mind has come up and put its policy back. What is kept
 * is the policy, not its packet rules: whatever is on the disk, nothing but a policy for our own table comes of it.
 *
 * Limit: the store is not bound to the TPM. Who writes the disk while the device is off can keep another policy there,
 * or none; the mind reads back what is in force as soon as it starts.
 */
import { createHash } from 'node:crypto';
import { concat, equalBytes } from '#hal/core/bytes';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { deny, done, type Fault, ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import type { NetPolicy } from '#hal/ports/net-policy';
import type { NetworkPolicy } from '#protos/gen/types';

export interface KeptNetwork extends NetPolicy {
  /**
   * At the start, before anybody is served: what was in force before, read back. Rules that still hold are not touched.
   * Where they cannot be put in force nothing but the loopback passes, in our own table; foreign tables stay as they are.
   * @returns why the kept policy is not in force; a device that never had one has nothing to restore
   */
  restore(): Promise<Result<void>>;
  /** Why nothing passes, from a restore that failed until a policy is applied. */
  fault(): Fault | undefined;
}

const key = 'network-in-force';
const digestBytes = 32;
const closed: NetworkPolicy = { mode: 'silent', allowedUsers: [], deniedUsers: [] };

export const keptNetwork = (network: NetPolicy, store: Pick<DurableStore, 'get' | 'put'>): KeptNetwork => {
  let fault: Fault | undefined;
  const restore = async (): Promise<Result<void>> => {
    const kept = read(store);
    if (!kept.ok) return kept;
    if (kept.value === undefined) return done;
    const present = await network.read();
    if (present.ok && present.value !== undefined && equalBytes(present.value.digest, network.expected(kept.value))) return done;
    const applied = await network.apply(kept.value);
    return applied.ok ? done : applied;
  };
  return {
    ...network,
    async apply(policy) {
      const applied = await network.apply(policy);
      if (!applied.ok) return applied;
      fault = undefined;
      const content = encodeMessage('NetworkPolicy', policy);
      const stored = store.put(key, concat(digestOf(content), content));
      return stored.ok ? applied : stored;
    },
    async restore() {
      const restored = await restore();
      if (restored.ok) return restored;
      fault = restored.fault;
      const shut = await network.apply(closed);
      return shut.ok ? restored : shut;
    },
    fault: () => fault,
  };
};

/** A record is SHA-256 of the policy, then the policy. */
const read = (store: Pick<DurableStore, 'get'>): Result<NetworkPolicy | undefined> => {
  const stored = store.get(key);
  if (!stored.ok) return stored;
  if (stored.value === undefined) return ok(undefined);
  const content = stored.value.subarray(digestBytes);
  return equalBytes(digestOf(content), stored.value.subarray(0, digestBytes))
    ? decodeMessage('NetworkPolicy', content)
    : deny('unavailable', 'storage-failed', 'the network policy cannot be read');
};

const digestOf = (content: Uint8Array): Uint8Array => createHash('sha256').update(content).digest();
