/** The keys of this device, and those it believes: listed, rotated and revoked, each change under a permit and recorded. */
import type { Attestor } from '#agents/attest/attestor';
import type { AuditLog } from '#agents/audit/log';
import { rotatingClasses } from '#agents/hands/key-ledger';
import type { Authorizer, Effect } from '#agents/mind/authorizer';
import { ownParty } from '#agents/mind/trust';
import { equalBytes } from '#hal/core/bytes';
import { codeOf, deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { deviceKeyId } from '#hal/crypto/succession';
import type { SigningClass } from '#hal/ports/device-keys';
import { epochIn } from '#hal/ports/key-ledger';
import type { RemoteHands } from '#hal/remote/hands-client';
import { nameOf } from '#hal/tpm/public';
import type { KeyChange, KeyClass, KeyList, KeyRevokeRequest } from '#protos/gen/types';
import { type KnownKey, ownKeysOf } from './known.ts';
import { isKeyClass, type KeyClassName, keyClassNames, registry } from './registry.ts';
import { type Revocations, revocationAction, revocationEvent } from './revocations.ts';

export interface KeyCustody {
  list(): Promise<Result<KeyList>>;
  /**
   * Another key for a class of the device's own.
   * @returns the key in use now, or the code of a denial; `authorization/key-unknown`, `policy/key-elsewhere`, what the
   * verifier or the log says of a class that needs it, or a fault of the hands
   */
  rotate(keyClass: string, source: string): Promise<Result<KeyChange>>;
  /** @returns the id, or the code of a denial; `authorization/key-unknown`, `policy/key-elsewhere`, `key-in-use`, `last-key` */
  revoke(request: KeyRevokeRequest, source: string): Promise<Result<KeyChange>>;
}

export interface CustodyParts {
  readonly crypto: CryptoBackend;
  readonly hands: Pick<RemoteHands, 'keys' | 'keysState' | 'effectors' | 'tpm'>;
  readonly authorizer: Pick<Authorizer, 'perform'>;
  readonly attestor: Pick<Attestor, 'attest'>;
  readonly audit: Pick<AuditLog, 'status'>;
  readonly revocations: Revocations;
  /** Of services, and of custodians. */
  readonly believed: () => readonly KnownKey[];
  /** What the mind holds by an older key or name is forgotten by its new start, soon after the answer. */
  readonly startAnew: () => void;
}

export const keyCustody = (parts: CustodyParts): KeyCustody => {
  const { crypto, hands, authorizer, attestor, audit, revocations, believed, startAnew } = parts;

  const known = async (): Promise<Result<readonly KnownKey[]>> => {
    const state = await hands.keysState();
    const own = state.ok ? await ownKeysOf(crypto, hands.keys, state.value) : state;
    return own.ok ? ok([...own.value, ...believed()]) : own;
  };

  const perform = async (effect: Omit<Effect, 'resource' | 'event'>, source: string): Promise<Result<string>> => {
    const performed = await authorizer.perform({ ...effect, resource: 'keys', event: revocationEvent }, source);
    if (!performed.ok) return performed;
    const { isAllowed, fault } = performed.value.decision;
    return ok(isAllowed ? '' : fault === undefined ? 'authorization/not-permitted' : codeOf(fault));
  };

  /** What must hold before, so that a rotation does not end half way: nothing was changed yet. */
  const readyFor = async (keyClass: KeyClass): Promise<Result<unknown>> => {
    if (keyClass === 'attestation') return attestor.attest(ownParty);
    const { fault } = audit.status();
    return keyClass === 'audit' && fault !== undefined ? { ok: false, fault } : done;
  };

  const successorOf = async (keyClass: SigningClass, epoch: number): Promise<Result<Uint8Array>> => {
    const next = await hands.keys.publicKey(keyClass, epoch);
    return next.ok ? ok(deviceKeyId(crypto, next.value)) : next;
  };

  return {
    async list() {
      const state = await hands.keysState();
      if (!state.ok) return state;
      const keys = await known();
      if (!keys.ok) return keys;
      const identity = await hands.tpm.identity();
      const tpm: readonly KnownKey[] = identity.ok
        ? // The name of a TPM object begins with its algorithm, SHA-256.
          [{ keyClass: 'attestation-key', keyId: nameOf(identity.value.attestationPublic).slice(2), isInUse: true }]
        : [];
      const named = [...tpm, ...keys.value];
      const stateOf = ({ keyId, isInUse }: KnownKey) =>
        revocations.isRevoked(keyId) ? 'revoked' : isInUse ? 'active' : 'retired';
      const entriesOf = (name: KeyClassName): KeyList['entries'] => {
        const ofClass = named.filter(({ keyClass }) => keyClass === name);
        if (ofClass.length > 0)
          return ofClass.map((key) => ({
            keyClass: name,
            state: stateOf(key),
            keyId: key.keyId,
            ...(key.epoch === undefined ? {} : { epoch: key.epoch }),
          }));
        if (name === 'handle') return [{ keyClass: name, state: 'active', epoch: epochIn(state.value, name).epoch }];
        return [{ keyClass: name, state: 'unnamed' in registry[name] ? 'unnamed' : 'absent' }];
      };
      return ok({
        entries: keyClassNames.flatMap(entriesOf),
        successions: state.value.epochs.flatMap(({ successions }) => successions),
      });
    },

    async rotate(name, source) {
      if (!isKeyClass(name)) return deny('authorization', 'key-unknown', name);
      const keyClass = rotatingClasses.find((one) => one === name);
      if (keyClass === undefined) return deny('policy', 'key-elsewhere', registry[name].rotation.how);
      const state = await hands.keysState();
      if (!state.ok) return state;
      const ready = await readyFor(keyClass);
      if (!ready.ok) return ready;
      const epoch = epochIn(state.value, keyClass).epoch + 1;
      const successor = keyClass === 'handle' ? ok(undefined) : await successorOf(keyClass, epoch);
      if (!successor.ok) return successor;
      const keyId = successor.value;
      const rotation = { keyClass, epoch, ...(keyId === undefined ? {} : { successor: keyId }) };
      const code = await perform({ action: 'rotate-key', call: hands.effectors.rotateKey(rotation) }, source);
      if (!code.ok) return code;
      if (code.value !== '') return ok({ code: code.value });
      if (keyClass === 'handle') startAnew();
      // The verifier learns the new key by another enrolment; where that cannot be now, each attestation begins with it.
      const attested = keyClass === 'attestation' ? await attestor.attest(ownParty) : done;
      return attested.ok ? ok({ code: '', epoch, ...(keyId === undefined ? {} : { keyId }) }) : attested;
    },

    async revoke({ keyClass: name, keyId, isLastMeant }, source) {
      if (!isKeyClass(name)) return deny('authorization', 'key-unknown', name);
      const { revocation } = registry[name];
      if (!revocation.hasCommand) return deny('policy', 'key-elsewhere', revocation.how);
      const keys = await known();
      if (!keys.ok) return keys;
      const ofClass = keys.value.filter(({ keyClass }) => keyClass === name);
      const key = ofClass.find((one) => equalBytes(one.keyId, keyId));
      if (key === undefined) return deny('authorization', 'key-unknown', `not a key of ${name}`);
      if (revocations.isRevoked(keyId)) return ok({ code: '', keyId });
      const isOwn = (rotatingClasses as readonly string[]).includes(name);
      if (isOwn && key.isInUse) return deny('policy', 'key-in-use', name);
      const others = ofClass.filter((one) => one !== key && !revocations.isRevoked(one.keyId));
      if (others.length === 0 && !isLastMeant) return deny('policy', 'last-key', name);
      const code = await perform(
        { action: revocationAction, call: hands.effectors.revokeKey({ keyClass: name, keyId }) },
        source,
      );
      if (!code.ok) return code;
      if (code.value !== '') return ok({ code: code.value });
      revocations.add(keyId);
      startAnew();
      return ok({ code: '', keyId });
    },
  };
};
