/** The keys of the mind, put together: which sign its log, which are believed, and who may change that. */
import type { Attestor } from '#agents/attest/attestor';
import type { AuditLog, AuditParts } from '#agents/audit/log';
import { type KeyCustody, keyCustody } from '#agents/keys/custody';
import { believedKeysOf, ownKeysOf } from '#agents/keys/known';
import { publishedKeysOf } from '#agents/keys/published';
import { type Revocations, revocationsOf } from '#agents/keys/revocations';
import type { Site } from '#agents/management/site';
import type { StateKeeper } from '#agents/management/state';
import type { Authorizer } from '#agents/mind/authorizer';
import type { MindParts } from '#agents/mind/parts';
import { equalBytes } from '#hal/core/bytes';
import { done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { deviceKeyId } from '#hal/crypto/succession';
import type { DurableStore } from '#hal/ports/durable-store';
import { epochIn } from '#hal/ports/key-ledger';
import type { RemoteHands } from '#hal/remote/hands-client';

/** Which keys may have signed the checkpoints of the log, and which sign the next ones. */
export const auditKeysOf = async (
  hands: RemoteHands,
  crypto: CryptoBackend,
): Promise<Result<Pick<AuditParts, 'keys' | 'rotation'>>> => {
  const state = await hands.keysState();
  if (!state.ok) return state;
  const { epoch } = epochIn(state.value, 'audit');
  const keys = await hands.keys.publicKey('audit', epoch);
  if (!keys.ok) return keys;
  const first = await hands.keys.publicKey('audit', 1);
  if (!first.ok) return first;
  const before = epoch === 1 ? undefined : await hands.keys.publicKey('audit', epoch - 1);
  if (before?.ok === false) return before;
  const previous = before?.value;
  const isRevoked =
    previous !== undefined && state.value.revoked.some(({ keyId }) => equalBytes(keyId, deviceKeyId(crypto, previous)));
  return ok({
    keys: keys.value,
    rotation: {
      first: first.value,
      ...(previous === undefined || isRevoked ? {} : { previous }),
      current: () => hands.keys.publicKey('audit'),
    },
  });
};

/** Whose signatures count no more, by the list of the hands and by the log. */
export const openRevocations = async (
  hands: RemoteHands,
  crypto: CryptoBackend,
  site: Site,
  audit: AuditLog,
): Promise<Result<Revocations>> => {
  const state = await hands.keysState();
  const own = state.ok ? await ownKeysOf(crypto, hands.keys, state.value) : state;
  if (!own.ok) return own;
  return state.ok ? ok(revocationsOf(state.value.revoked, audit, [...own.value, ...believedKeysOf(crypto, site)])) : state;
};

/** Handles are of the epoch that the hands were rotated to: it only ever goes up. */
export const followHandleEpoch = async (hands: RemoteHands, state: StateKeeper): Promise<Result<void>> => {
  const keys = await hands.keysState();
  if (!keys.ok) return keys;
  const { epoch } = epochIn(keys.value, 'handle');
  return epoch > state.current().handleEpoch ? state.update({ handleEpoch: epoch }) : done;
};

export interface CustodyNeeds {
  readonly site: Site;
  readonly store: DurableStore;
  readonly revocations: Revocations;
  readonly startAnew: () => void;
}

type Parts = Pick<MindParts, 'clock' | 'crypto' | 'hands' | 'audit'> & {
  readonly authorizer: Authorizer;
  readonly attestor: Attestor;
};

/** Long enough for the answer to leave the socket. */
const answerMs = 100;

export const custodyOf = (parts: Parts, { site, store, revocations, startAnew }: CustodyNeeds): KeyCustody =>
  keyCustody({
    ...parts,
    revocations,
    believed: () => [
      ...believedKeysOf(parts.crypto, site),
      ...(site.fleet === undefined ? [] : publishedKeysOf(store, site.fleet.repository.root)),
    ],
    startAnew: () => void parts.clock.sleep(answerMs, new AbortController().signal).then(startAnew),
  });
