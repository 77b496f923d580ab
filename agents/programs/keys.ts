/** The keys of the mind, put together: which sign its log, which are believed, and who may change that. */
import type { Attestor } from '#agents/attest/attestor';
import type { AuditLog, AuditParts } from '#agents/audit/log';
import { intelligenceParty } from '#agents/defense/outcomes';
import { commandParty } from '#agents/fleet/command-methods';
import { type KeyCustody, keyCustody } from '#agents/keys/custody';
import { believedKeysOf, type KnownKey, ownKeysOf } from '#agents/keys/known';
import { publishedKeysOf } from '#agents/keys/published';
import { type Revocations, revocationsOf } from '#agents/keys/revocations';
import type { Site } from '#agents/management/site';
import type { StateKeeper } from '#agents/management/state';
import type { Authorizer } from '#agents/mind/authorizer';
import type { MindParts } from '#agents/mind/parts';
import { ownParty } from '#agents/mind/trust';
import { equalBytes } from '#hal/core/bytes';
import { done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { deviceKeyId } from '#hal/crypto/succession';
import type { DurableStore } from '#hal/ports/durable-store';
import { epochIn } from '#hal/ports/key-ledger';
import type { RemoteHands } from '#hal/remote/hands-client';
import type { KeysState } from '#protos/gen/types';

/** What a start needs of the keys. */
export interface KeysAtStart {
  /** Which may have signed the checkpoints of the log, and which sign the next ones. */
  readonly audit: Pick<AuditParts, 'keys' | 'rotation'>;
  /** Every key pair that this device has or had. */
  readonly own: readonly KnownKey[];
  /** Whose signatures count no more, by the list of the hands. */
  readonly revoked: KeysState['revoked'];
  /** By who knows this device by it: itself, the source of intelligence, Command. */
  readonly handles: Readonly<Record<'own' | 'intelligence' | 'command', Uint8Array>>;
}

/**
 * Asked for together: the hands unseal their secret once for all of it. Handles are of the epoch that the hands were rotated
 * to, which only ever goes up.
 */
export const keysAtStart = async (hands: RemoteHands, crypto: CryptoBackend, kept: StateKeeper): Promise<Result<KeysAtStart>> => {
  const known = await hands.keysState();
  if (!known.ok) return known;
  const { epoch } = epochIn(known.value, 'handle');
  const followed = epoch > kept.current().handleEpoch ? kept.update({ handleEpoch: epoch }) : done;
  if (!followed.ok) return followed;
  const [audit, own, handles] = await Promise.all([
    auditKeysOf(hands, crypto, known.value),
    ownKeysOf(crypto, hands.keys, known.value),
    handlesOf(hands, kept.current().handleEpoch),
  ]);
  if (!audit.ok) return audit;
  if (!own.ok) return own;
  if (!handles.ok) return handles;
  return ok({ audit: audit.value, own: own.value, revoked: known.value.revoked, handles: handles.value });
};

const auditKeysOf = async (
  hands: RemoteHands,
  crypto: CryptoBackend,
  state: KeysState,
): Promise<Result<Pick<AuditParts, 'keys' | 'rotation'>>> => {
  const { epoch } = epochIn(state, 'audit');
  const [keys, first, before] = await Promise.all([
    hands.keys.publicKey('audit', epoch),
    hands.keys.publicKey('audit', 1),
    epoch === 1 ? undefined : hands.keys.publicKey('audit', epoch - 1),
  ]);
  if (!keys.ok) return keys;
  if (!first.ok) return first;
  if (before?.ok === false) return before;
  const previous = before?.value;
  const isRevoked = previous !== undefined && state.revoked.some(({ keyId }) => equalBytes(keyId, deviceKeyId(crypto, previous)));
  return ok({
    keys: keys.value,
    rotation: {
      first: first.value,
      ...(previous === undefined || isRevoked ? {} : { previous }),
      current: () => hands.keys.publicKey('audit'),
    },
  });
};

const handlesOf = async (hands: RemoteHands, epoch: number): Promise<Result<KeysAtStart['handles']>> => {
  const [own, intelligence, command] = await Promise.all([
    hands.keys.handle(ownParty, epoch),
    hands.keys.handle(intelligenceParty, epoch),
    hands.keys.handle(commandParty, epoch),
  ]);
  if (!own.ok) return own;
  if (!intelligence.ok) return intelligence;
  return command.ok ? ok({ own: own.value, intelligence: intelligence.value, command: command.value }) : command;
};

/** Whose signatures count no more, by the list of the hands and by the log. */
export const openRevocations = ({ own, revoked }: KeysAtStart, crypto: CryptoBackend, site: Site, audit: AuditLog): Revocations =>
  revocationsOf(revoked, audit, [...own, ...believedKeysOf(crypto, site)]);

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
