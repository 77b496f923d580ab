/** What a bundle asks of the device, what must still be done for it, and whether it holds: by reading, never by memory. */
import { createHash } from 'node:crypto';
import { holdsMode, planSwitches } from '#agents/privacy/modes';
import { equalBytes } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import type { PermittedCall, RemoteHands } from '#hal/remote/hands-client';
import type { AppManifest, PolicyBundle } from '#protos/gen/types';
import type { Bundle } from './bundles.ts';

export interface Desired {
  /**
   * The calls that bring it about, in order.
   * @param isNew it was never in force: then the hands are told all of it, so that their floor rises to its version
   */
  plan(isNew: boolean): Promise<Result<readonly PermittedCall[]>>;
  /** Reads back. */
  holds(): Promise<boolean>;
}

type Parts = Pick<RemoteHands, 'network' | 'switches' | 'apps' | 'effectors'>;

/** @param payload the bytes that `bundle` was decoded from */
export const desiredOf = (hands: Parts, bundle: Bundle, payload: Uint8Array): Desired => {
  if (bundle.kind === 'policy') return desiredPolicy(hands, bundle.value);
  if (bundle.kind === 'apps') return desiredApps(hands, bundle.value, payload);
  return { plan: async () => ok([]), holds: async () => true };
};

const desiredPolicy = ({ network, switches, effectors }: Parts, { version, network: policy, privacy }: PolicyBundle): Desired => {
  const holdsNetwork = async (): Promise<Result<boolean>> => {
    const [expected, present] = await Promise.all([network.expected(policy), network.read()]);
    if (!expected.ok) return expected;
    if (!present.ok) return present;
    return ok(present.value !== undefined && equalBytes(present.value.digest, expected.value));
  };
  return {
    async plan(isNew) {
      const isInForce = isNew ? ok(false) : await holdsNetwork();
      if (!isInForce.ok) return isInForce;
      const present = await switches.read();
      if (!present.ok) return present;
      return ok([
        ...(isInForce.value ? [] : [effectors.applyNetwork({ version, policy })]),
        ...planSwitches(privacy, present.value).map((name) => effectors.setSwitch({ name, isOn: false })),
      ]);
    },
    async holds() {
      const [isInForce, present] = await Promise.all([holdsNetwork(), switches.read()]);
      return isInForce.ok && isInForce.value && present.ok && holdsMode(privacy, present.value);
    },
  };
};

const desiredApps = ({ apps, effectors }: Parts, manifest: AppManifest, payload: Uint8Array): Desired => {
  const wanted = createHash('sha256').update(payload).digest();
  const isAllowed = async (): Promise<Result<boolean>> => {
    const present = await apps.read();
    return present.ok ? ok(equalBytes(present.value.digest, wanted)) : present;
  };
  return {
    async plan(isNew) {
      const present = isNew ? ok(false) : await isAllowed();
      if (!present.ok) return present;
      return ok(present.value ? [] : [effectors.allowApps(manifest)]);
    },
    async holds() {
      const present = await isAllowed();
      return present.ok && present.value;
    },
  };
};
