/** A field grant and the word of a technician under it, as they are written; what they are worth is said in `trust/field-grant`. */
import { toHex, utf8 } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { grantFormat, readGrant } from '#ota-client/trust/field-grant';
import { textOfInstant } from '#ota-client/trust/time';
import { keyRing, roleKeys, signMetadata, type TargetEntry, targetsJson } from './compose.ts';
import type { Custodian, Quorum, Signer } from './custodian.ts';

/** A working day, and less than a device takes: its time may be some minutes behind. */
const wordLifetimeMs = 18 * 3_600_000;

export interface GrantContent {
  readonly version: number;
  readonly expiresMs: number;
  /** Counters, both included. */
  readonly releases: { readonly first: number; readonly last: number };
  /** On each device. */
  readonly uses: number;
  /** Each of them may speak alone. */
  readonly technicians: readonly Custodian[];
}

/** @returns the file, read again as a device reads it; or the faults of `readGrant` */
export const grantFile = (crypto: CryptoBackend, content: GrantContent): Result<Uint8Array> => {
  const { version, expiresMs, releases, uses, technicians } = content;
  const quorum: Quorum = { custodians: technicians, threshold: 1 };
  const bytes = utf8(
    JSON.stringify({
      ...{ format: grantFormat, version, expires: textOfInstant(expiresMs), releases, uses },
      ...{ keys: keyRing(crypto, [quorum]), technicians: roleKeys(crypto, quorum) },
    }),
  );
  const read = readGrant(bytes);
  return read.ok ? ok(bytes) : read;
};

/**
 * One release, for every device of the grant, for 18 hours: bound to that grant as the director's answer is bound to a nonce.
 * @returns the metadata, or a fault of the signer
 */
export const technicianWord = (
  crypto: CryptoBackend,
  grant: Uint8Array,
  entry: TargetEntry,
  technician: Signer,
  nowMs: number,
): Promise<Result<Uint8Array>> => {
  const named = { ...entry, custom: { ...entry.custom, nonceHash: toHex(crypto.hash('sha256', grant)) } };
  const said = targetsJson(crypto, nowMs, nowMs + wordLifetimeMs, [named]);
  return signMetadata(crypto, said, [technician], { custodians: [technician], threshold: 1 });
};
