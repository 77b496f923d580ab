/** What lies beyond the beacon relay of a device, on both of its sides: the Key, and the courier with its contacts. */
import type { Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Random } from '#hal/ports/random';
import { type SimulatedKey, simulatedKey } from '#sim/machine/key';
import type { OpenLine } from '#sim/machine/line';
import { type ContactPeer, referenceContact } from './contacts.ts';
import { type CourierPeer, startCourier } from './courier.ts';
import type { PeerSecrets } from './secrets.ts';

export interface BeaconPeers {
  /** The Key of the first device, or why this machine has no line for one. */
  readonly key: Result<SimulatedKey>;
  readonly contacts: readonly ContactPeer[];
  readonly courier: CourierPeer;
  close(): Promise<void>;
}

export interface BeaconPeersOptions {
  readonly directory: string;
  /** dist/key. */
  readonly firmware: string;
  readonly secrets: Pick<PeerSecrets, 'tlsAuthority'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly openLine: OpenLine;
}

export const startBeaconPeers = async (options: BeaconPeersOptions): Promise<BeaconPeers> => {
  const { clock, random, secrets } = options;
  const contacts = [referenceContact(random, clock), referenceContact(random, clock)];
  const courier = await startCourier({ contacts, secrets, clock });
  const key = await simulatedKey(options);
  return {
    key,
    contacts,
    courier,
    async close() {
      if (key.ok) await key.value.close();
      await courier.close();
    },
  };
};
