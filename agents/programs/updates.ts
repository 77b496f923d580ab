/** The updater of the mind, put together: repository and director by way of the mouth, slots by way of the hands. */
import type { Attestor } from '#agents/attest/attestor';
import { expiryTime } from '#agents/attest/expiry-time';
import type { Fleet, UpdateSite } from '#agents/management/site';
import type { Authorizer } from '#agents/mind/authorizer';
import type { FarEnds } from '#agents/mind/far-ends';
import type { MindParts } from '#agents/mind/parts';
import type { AgentHealth } from '#agents/supervisor/agent';
import { type DirectorMethods, directorMethods } from '#agents/update/director-methods';
import { releaseOffers } from '#agents/update/offers';
import { type Updater, updater } from '#agents/update/updater';
import { concat } from '#hal/core/bytes';
import { keyId } from '#hal/crypto/envelope';
import type { DurableStore } from '#hal/ports/durable-store';
import { exchangeClient } from '#hal/remote/exchange-client';
import type { HealthCheck } from '#ota-client/apply/health';

export interface UpdateNeeds {
  readonly far: FarEnds;
  readonly store: DurableStore;
  readonly agents: () => readonly AgentHealth[];
}

type Parts = MindParts & { readonly attestor: Attestor; readonly authorizer: Authorizer };

export const updaterOf = (parts: Parts, fleet: Fleet, site: UpdateSite, needs: UpdateNeeds): Updater => {
  const { crypto, clock, log, audit, hands, state, verifier, attestor, authorizer } = parts;
  const { far, store } = needs;
  const { hardware } = fleet.repository;
  const offers = releaseOffers({
    crypto,
    store,
    read: far.read,
    director: exchangeClient<DirectorMethods>(directorMethods, far.exchange, 'director'),
    attestor,
    verifier,
    keys: hands.keys,
    state,
    time: expiryTime(parts, attestor),
    roots: { image: fleet.repository.root, director: site.director.root },
    log: { crypto, trust: site.log, store },
    grants: site.grants,
    policies: {
      update: { crypto, keys: site.releaseKeys, threshold: 2, hardware },
      repair: { crypto, keys: site.repairKeys, threshold: 2, hardware },
    },
  });
  return updater({
    hands,
    offers,
    authorizer,
    audit,
    clock,
    log,
    read: far.read,
    hardware,
    signer: crypto.hash('sha256', concat(...site.releaseKeys.map((key) => keyId(crypto, key)))),
    checks: healthChecks(parts, needs),
    trialMs: site.trialMs,
  });
};

/** What a device must be able to do by itself; nothing here asks anybody else (SR-13). */
const healthChecks = ({ hands, state }: Parts, { agents }: UpdateNeeds): readonly HealthCheck[] => [
  { name: 'agents', kind: 'required', run: async () => agents().every(({ isRunning }) => isRunning) },
  {
    name: 'hands',
    kind: 'required',
    run: async () => {
      const readings = await hands.updates.health();
      return readings.ok && readings.value.every(({ hasPassed }) => hasPassed);
    },
  },
  { name: 'storage', kind: 'required', run: async () => state.update({}).ok },
];
