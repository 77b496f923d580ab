/** The updater of the mind, put together: repository and director by way of the mouth, slots by way of the hands. */
import type { Attestor } from '#agents/attest/attestor';
import { expiryTime } from '#agents/attest/expiry-time';
import type { Fleet, UpdateSite } from '#agents/management/site';
import type { Authorizer } from '#agents/mind/authorizer';
import type { MindParts } from '#agents/mind/parts';
import type { ReadRange } from '#agents/policy/source';
import type { AgentHealth } from '#agents/supervisor/agent';
import { type DirectorMethods, directorMethods } from '#agents/update/director-methods';
import { releaseOffers } from '#agents/update/offers';
import { type Updater, updater } from '#agents/update/updater';
import { concat } from '#hal/core/bytes';
import { ok } from '#hal/core/result';
import { keyId } from '#hal/crypto/envelope';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Exchange } from '#hal/ports/exchange';
import { exchangeClient } from '#hal/remote/exchange-client';
import type { LinkMethods } from '#hal/remote/link-methods';
import type { Client } from '#hal/remote/methods';
import type { HealthCheck } from '#ota-client/apply/health';

export interface UpdateNeeds {
  readonly link: Client<LinkMethods>;
  readonly exchange: Exchange;
  readonly store: DurableStore;
  readonly agents: () => readonly AgentHealth[];
}

type Parts = MindParts & { readonly attestor: Attestor; readonly authorizer: Authorizer };

export const updaterOf = (parts: Parts, fleet: Fleet, site: UpdateSite, needs: UpdateNeeds): Updater => {
  const { crypto, clock, log, audit, hands, state, verifier, attestor, authorizer } = parts;
  const { link, exchange, store } = needs;
  const { hardware } = fleet.repository;
  const read: ReadRange = async (path, offset, mostBytes, signal) => {
    const part = await link.call('link.range', { endpoint: 'repository', path, offset, mostBytes }, { signal });
    return part.ok ? ok(part.value.part) : part;
  };
  const offers = releaseOffers({
    crypto,
    read,
    store,
    director: exchangeClient<DirectorMethods>(directorMethods, exchange, 'director'),
    attestor,
    verifier,
    keys: hands.keys,
    state,
    time: expiryTime(parts, attestor),
    roots: { image: fleet.repository.root, director: site.director.root },
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
    read,
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
