/**
 * Which release this device is to take now: a fresh appraisal for the director alone, the director's answer, and what
 * the image repository says of the same target (Uptane); or, without any of that, the repair release (SR-12).
 */

import type { Attestor } from '#agents/attest/attestor';
import type { ExpiryTime } from '#agents/attest/expiry-time';
import type { VerifierLink } from '#agents/attest/verifier-link';
import type { StateKeeper } from '#agents/management/state';
import type { ReadRange } from '#agents/mind/far-ends';
import { fetchFrom } from '#agents/policy/source';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { DeviceKeys } from '#hal/ports/device-keys';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Client } from '#hal/remote/methods';
import type { ReleasePolicy } from '#ota-client/slots/statement';
import type { LogJudge } from '#ota-client/transparency/judge';
import type { Bundle } from '#ota-client/trust/bundle';
import { deviceTrust } from '#ota-client/trust/device-trust';
import { eligibleTarget } from '#ota-client/trust/eligible';
import type { GrantedBundle } from '#ota-client/trust/field-grant';
import type { GrantPolicy } from '#ota-client/trust/grant-policy';
import { classTargets } from '#ota-client/trust/listing';
import { type Repository, refresh, refreshForRepair } from '#ota-client/trust/refresh';
import type { Installed } from '#ota-client/trust/release';
import { directorCall, fetchFromAnswer, rolloutDigest, rolloutParty, rolloutPlaces } from './asking.ts';
import { type DirectorMethods, directorParty } from './director-methods.ts';
import { type LoggedOffer, loggedOffer } from './logged.ts';
import { releaseIdOf } from './manifest.ts';
import { offerOf, repairOffer } from './offer.ts';
import { technicianWords } from './technician-words.ts';

export interface Offers {
  /**
   * @param carried the image repository where it was brought here; a technician may speak in the director's place
   * @returns the offer, undefined where there is nothing to do; or why nothing may be installed
   */
  directed(installed: Installed, signal: AbortSignal, carried?: ReadRange): Promise<Result<LoggedOffer | undefined>>;
  /** Needs no verifier, no director, no clock. */
  repair(installed: Installed, signal: AbortSignal, carried?: ReadRange): Promise<Result<LoggedOffer>>;
}

export interface OfferParts {
  readonly crypto: CryptoBackend;
  readonly read: ReadRange;
  readonly store: Pick<DurableStore, 'get' | 'put'>;
  readonly director: Pick<Client<DirectorMethods>, 'call'>;
  readonly attestor: Attestor;
  readonly verifier: Pick<VerifierLink, 'passport'>;
  readonly keys: Pick<DeviceKeys, 'handle'>;
  readonly state: StateKeeper;
  readonly time: ExpiryTime;
  readonly roots: { readonly image: Uint8Array; readonly director: Uint8Array };
  /** Where releases must stand. */
  readonly log: LogJudge;
  /** Whose statements count: releases and repairs have custodians of their own (SR-03). */
  readonly policies: { readonly update: ReleasePolicy; readonly repair: ReleasePolicy };
  /** Of carried releases. */
  readonly grants: GrantPolicy;
}

/** Absent where the director named it. */
type Named = Bundle & Partial<Pick<GrantedBundle, 'grant'>>;

export const releaseOffers = (parts: OfferParts): Offers => {
  const { crypto, read, store, director, attestor, verifier, keys, state, time, roots, log, policies, grants } = parts;
  const words = technicianWords({ crypto, store, policy: grants });
  const kept = (prefix: string) => ({
    get: (name: string) => store.get(`${prefix}-${name}`),
    put: (name: string, bytes: Uint8Array) => store.put(`${prefix}-${name}`, bytes),
  });
  /** Whoever brings the bytes: what was seen of the repository before is what counts against going back. */
  const imageFrom = (from: ReadRange) =>
    deviceTrust({ crypto, fetch: fetchFrom(from), store: kept('metadata'), pinnedRoot: roots.image });

  /** A fresh result for the director, and what it answers to it. */
  const ask = async (repository: Repository, installed: Installed, signal: AbortSignal) => {
    const listed = await classTargets(repository, 'os');
    if (!listed.ok) return listed;
    const ids = [...listed.value].map(([path, file]) => ({ id: releaseIdOf(path) ?? '', file }));
    const handleKey = await keys.handle(rolloutParty, state.current().handleEpoch);
    if (!handleKey.ok) return handleKey;
    const places = rolloutPlaces(
      crypto,
      handleKey.value,
      ids.map(({ id }) => id),
    );
    const attested = await attestor.attest(directorParty, rolloutDigest(places));
    if (!attested.ok) return attested;
    const passport = verifier.passport(directorParty);
    if (passport === undefined) return deny('attestation', 'missing');
    const nonce = attested.value.deviceNonce;
    const { hardwareId: hardware, releaseCounter, floorEpoch } = installed;
    const question = { nonce, hardware, releaseCounter, floorEpoch, places };
    const answer = await director.call('director.targets', directorCall(passport, question), { signal });
    return answer.ok ? ok({ answer: answer.value, nonce }) : answer;
  };

  /** What both repositories name; undefined where the director names nothing. */
  const directedBundle = async (image: Repository, installed: Installed, signal: AbortSignal) => {
    const asked = await ask(image, installed, signal);
    if (!asked.ok) return asked;
    const directorTrust = deviceTrust({
      crypto,
      fetch: fetchFromAnswer(asked.value.answer),
      store: kept('director'),
      pinnedRoot: roots.director,
    });
    const directed = await refresh(directorTrust, time.present(), signal);
    if (!directed.ok) return directed;
    return eligibleTarget(crypto, directed.value, image, { ...installed, nonce: asked.value.nonce });
  };

  return {
    async directed(installed, signal, carried) {
      const from = carried ?? read;
      const repository = await refresh(imageFrom(from), await time.asked(), signal);
      if (!repository.ok) return repository;
      const word = carried === undefined ? ok(undefined) : await words.carried(carried, installed.hardwareId, signal);
      if (!word.ok) return word;
      const named: Result<Named | undefined> =
        word.value === undefined
          ? await directedBundle(repository.value, installed, signal)
          : await words.granted(word.value, from, repository.value, installed, signal);
      if (!named.ok) return named.fault.reason === 'release-current' ? ok(undefined) : named;
      const bundle = named.value;
      if (bundle === undefined) return ok(undefined);
      const offer = await offerOf({ crypto, read: from, policy: policies.update }, repository.value, bundle, signal);
      if (!offer.ok) return offer;
      const logged = await loggedOffer({ ...log, read: from }, repository.value, offer.value, 'os', signal);
      if (!logged.ok || bundle.grant === undefined) return logged;
      const use = words.useOf(bundle.grant, logged.value.statement.release.digest, time.present().floorMs);
      return ok({ ...logged.value, grant: use });
    },
    async repair(installed, signal, carried = read) {
      const repository = await refreshForRepair(imageFrom(carried), time.present().floorMs, signal);
      if (!repository.ok) return repository;
      const offer = await repairOffer({ crypto, read: carried, policy: policies.repair }, repository.value, installed, signal);
      return offer.ok ? loggedOffer({ ...log, read: carried }, repository.value, offer.value, 'repair', signal) : offer;
    },
  };
};
