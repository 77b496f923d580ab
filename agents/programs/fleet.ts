/** What the mind does for its administration, put together: bundles in force, releases, reports, orders. */
import type { Attestor } from '#agents/attest/attestor';
import { expiryTime } from '#agents/attest/expiry-time';
import { type FleetParts, fleetAgent } from '#agents/fleet/agent';
import { commandMethods } from '#agents/fleet/command-methods';
import type { OrderIntake } from '#agents/management/order-intake';
import type { Fleet } from '#agents/management/site';
import type { FarEnds, ReadRange } from '#agents/mind/far-ends';
import type { MindParts } from '#agents/mind/parts';
import { type CarriedFiles, readCarried } from '#agents/policy/carried';
import type { Enforcer } from '#agents/policy/enforcer';
import { type PolicyManager, policyManager } from '#agents/policy/manager';
import { bundleSource } from '#agents/policy/source';
import type { Agent } from '#agents/supervisor/agent';
import type { Updater } from '#agents/update/updater';
import type { IsRevoked } from '#hal/crypto/envelope';
import { systemRandom } from '#hal/linux/random';
import type { DurableStore } from '#hal/ports/durable-store';
import { exchangeClient } from '#hal/remote/exchange-client';
import type { LinkMethods } from '#hal/remote/link-methods';
import type { Client } from '#hal/remote/methods';

export interface ManagerNeeds {
  readonly enforcer: Enforcer;
  readonly far: FarEnds;
  readonly store: DurableStore;
}

type Parts = MindParts & { readonly attestor: Attestor };

export const managerOf = (parts: Parts, fleet: Fleet, { enforcer, far, store }: ManagerNeeds): PolicyManager => {
  const { clock, crypto, log, time, attestor } = parts;
  const { root: pinnedRoot, hardware: hardwareId } = fleet.repository;
  const sourceOf = (read: ReadRange) =>
    bundleSource({
      ...{ crypto, store, pinnedRoot, hardwareId, read },
      time: expiryTime(parts, attestor),
      witness: (signedMs) => time.witness(signedMs),
    });
  const carried = (files: CarriedFiles) => sourceOf(readCarried(files));
  return policyManager({ enforcer, source: sourceOf(far.read), carried, clock, log });
};

/** What Command hears of the device: bundles in force, and the release that runs. */
const withReleases = (manager: PolicyManager, updates: Updater | undefined): PolicyManager =>
  updates === undefined ? manager : { ...manager, states: async () => [...(await manager.states()), ...(await updates.state())] };

export interface FleetNeeds {
  readonly manager: PolicyManager;
  readonly updates: Updater | undefined;
  readonly link: Client<LinkMethods>;
  readonly far: FarEnds;
  readonly isRevoked: IsRevoked;
  readonly orders: OrderIntake;
  readonly risk: FleetParts['risk'];
}

export const fleetOf = (parts: Parts, fleet: Fleet, needs: FleetNeeds): Agent<unknown> => {
  const { manager, updates, link, far, isRevoked, orders, risk } = needs;
  return fleetAgent({
    ...parts,
    ...{ random: systemRandom, fleet, isRevoked, link, orders, risk },
    command: exchangeClient(commandMethods, far.exchange, 'command'),
    manager: withReleases(manager, updates),
  });
};
