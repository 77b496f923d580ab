/**
 * The claims of a device about itself, as an EAT claims set (RFC 9711).
 *
 * They are self-asserted by measured software: the quote binds them, it does not make them true (SR-06).
 */

import { evidenceProfile, label } from '#attestation/labels';
import { type Cbor, type CborMap, decodeCbor, encodeCbor } from '#hal/core/cbor';
import { deny, ok, type Result } from '#hal/core/result';

export interface Claims {
  /** The verifier's challenge: 32 bytes. */
  readonly nonce: Uint8Array;
  /** The device's own challenge, echoed in the result: 32 bytes. */
  readonly deviceNonce: Uint8Array;
  readonly relyingParty: string;
  /** Handle for this relying party and epoch: 16 bytes. */
  readonly handle: Uint8Array;
  readonly epoch: number;
  /** 16 bytes, new at every boot. */
  readonly bootId: Uint8Array;
  /** Ed25519 public key that the result will be bound to: 32 bytes. */
  readonly confirmationKey: Uint8Array;
  /** For a director: digest of the rollout buckets that the device will name to it (SR-21). 32 bytes. */
  readonly rollout?: Uint8Array;
}

export const encodeClaims = (claims: Claims): Uint8Array =>
  encodeCbor(
    new Map<number | string, Cbor>([
      [label.profile, evidenceProfile],
      [label.nonce, claims.nonce],
      [label.confirmation, confirmation(claims.confirmationKey)],
      ['device-nonce', claims.deviceNonce],
      ['relying-party', claims.relyingParty],
      ['handle', claims.handle],
      ['epoch', claims.epoch],
      ['boot-id', claims.bootId],
      ...rolloutEntry(claims.rollout),
    ]),
  );

/** @returns the claims, or `attestation/malformed`: unknown claims are refused, a profile names them all */
export const decodeClaims = (bytes: Uint8Array): Result<Claims> => {
  const decoded = decodeCbor(bytes);
  if (!decoded.ok) return deny('attestation', 'malformed', `claims: ${decoded.fault.detail ?? ''}`);
  const map = decoded.value;
  if (!(map instanceof Map) || map.size !== (map.has(rolloutClaim) ? 9 : 8) || map.get(label.profile) !== evidenceProfile)
    return deny('attestation', 'malformed', 'claims profile');
  const rollout = rolloutOf(map);
  if (!rollout.ok) return rollout;
  const nonce = bytesOf(map, label.nonce, 32);
  const deviceNonce = bytesOf(map, 'device-nonce', 32);
  const handle = bytesOf(map, 'handle', 16);
  const bootId = bytesOf(map, 'boot-id', 16);
  const confirmationKey = confirmationKeyOf(map.get(label.confirmation));
  const relyingParty = map.get('relying-party');
  const epoch = map.get('epoch');
  if (!nonce || !deviceNonce || !handle || !bootId || !confirmationKey) return deny('attestation', 'malformed', 'claims');
  if (typeof relyingParty !== 'string' || !/^[a-z0-9-]{1,64}$/.test(relyingParty))
    return deny('attestation', 'malformed', 'relying party');
  if (!Number.isSafeInteger(epoch) || (epoch as number) < 0) return deny('attestation', 'malformed', 'epoch');
  return ok({
    ...{ nonce, deviceNonce, handle, bootId, confirmationKey, relyingParty, epoch: epoch as number },
    ...(rollout.value === undefined ? {} : { rollout: rollout.value }),
  });
};

const rolloutClaim = 'rollout';

export const rolloutEntry = (rollout: Uint8Array | undefined): readonly (readonly [string, Cbor])[] =>
  rollout === undefined ? [] : [[rolloutClaim, rollout]];

/** @returns the digest, undefined where there is none, or `attestation/malformed` */
export const rolloutOf = (map: CborMap): Result<Uint8Array | undefined> => {
  if (!map.has(rolloutClaim)) return ok(undefined);
  const digest = bytesOf(map, rolloutClaim, 32);
  return digest === undefined ? deny('attestation', 'malformed', 'rollout') : ok(digest);
};

/** `cnf` with a COSE_Key (RFC 8747 §3.2): OKP (1), curve Ed25519 (6). */
export const confirmation = (publicKey: Uint8Array): CborMap =>
  new Map([
    [
      1,
      new Map<number | string, Cbor>([
        [1, 1],
        [-1, 6],
        [-2, publicKey],
      ]),
    ],
  ]);

export const confirmationKeyOf = (value: Cbor | undefined): Uint8Array | undefined => {
  const key = value instanceof Map && value.size === 1 ? value.get(1) : undefined;
  if (!(key instanceof Map) || key.size !== 3 || key.get(1) !== 1 || key.get(-1) !== 6) return undefined;
  return bytesOf(key, -2, 32);
};

export const bytesOf = (map: CborMap, key: number | string, length: number): Uint8Array | undefined => {
  const value = map.get(key);
  return value instanceof Uint8Array && value.length === length ? value : undefined;
};
