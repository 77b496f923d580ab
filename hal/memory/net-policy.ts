/** `NetPolicy` that keeps what it is told: for simulations. No packet is ever held up by it. */
import { deny, done, ok } from '#hal/core/result';
import { checkPolicy, digestOf, rulesOf } from '#hal/linux/nft-rules';
import type { NetPolicy } from '#hal/ports/net-policy';
import type { NetworkState } from '#protos/gen/types';

export const memoryNetPolicy = (): NetPolicy => {
  let state: NetworkState | undefined;
  return {
    expected: (policy) => digestOf(rulesOf(policy)),
    read: async () => ok(state),
    block: async () => (state === undefined ? deny('policy', 'missing') : done),
    async apply(policy) {
      const checked = checkPolicy(policy);
      if (!checked.ok) return checked;
      state = { digest: digestOf(rulesOf(policy)), droppedIn: 0, droppedOut: 0 };
      return ok(state);
    },
  };
};
