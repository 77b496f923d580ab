/** What may pass between this machine and the network. */
import type { Result } from '#hal/core/result';
import type { NetworkPolicy, NetworkState } from '#protos/gen/types';

export interface NetPolicy {
  /** SHA-256 of what must be read back once the policy is in force. */
  expected(policy: NetworkPolicy): Uint8Array;
  /**
   * The whole policy at once or nothing of it; what was in force before stays until then.
   * @returns what was read back, or `policy/contradictory`, `unavailable/not-supported`, `integrity/read-back`
   */
  apply(policy: NetworkPolicy): Promise<Result<NetworkState>>;
  /**
   * From now on nothing of this user leaves the machine, whatever the policy allows, until then; and no longer. A policy
   * that is applied meanwhile does not lift it.
   * @returns `policy/missing` where no policy is in force: then there are no rules to add to
   */
  block(user: number, untilBootMs: number): Promise<Result<void>>;
  /** What is in force now; undefined where no policy is. */
  read(): Promise<Result<NetworkState | undefined>>;
}
