/**
 * Which keys were revoked on this device: the list that the hands keep, and every revocation in the audit log. Both only
 * grow, and the log is anchored in the TPM: whoever puts back an older list has revoked nothing less by that.
 */
import { createHash } from 'node:crypto';
import type { AuditLog } from '#agents/audit/log';
import { toHex } from '#hal/core/bytes';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import type { IsRevoked } from '#hal/crypto/envelope';
import type { KeyRevocation } from '#protos/gen/types';
import type { KnownKey } from './known.ts';

export interface Revocations {
  readonly isRevoked: IsRevoked;
  /** From now on; durable it is made by the hands. */
  add(keyId: Uint8Array): void;
}

export const revocationEvent = 'admin.key';
export const revocationAction = 'revoke-key';
const pageSize = 1024;

/**
 * @param listed as the hands keep them
 * @param known keys that a record of the log may be about: it names them by a digest alone
 */
export const revocationsOf = (
  listed: readonly KeyRevocation[],
  audit: Pick<AuditLog, 'list'>,
  known: readonly KnownKey[],
): Revocations => {
  const recorded = recordedReferences(audit);
  const ids = new Set(listed.map(({ keyId }) => toHex(keyId)));
  for (const { keyClass, keyId } of known) if (recorded.has(referenceOf({ keyClass, keyId }))) ids.add(toHex(keyId));
  return {
    isRevoked: (keyId) => ids.has(toHex(keyId)),
    add: (keyId) => void ids.add(toHex(keyId)),
  };
};

/** How the record of a revocation names it: by the exact bytes that its permit was for. */
const referenceOf = (revocation: KeyRevocation): string =>
  createHash('sha256').update(encodeMessage('KeyRevocation', revocation)).digest('hex');

const recordedReferences = (audit: Pick<AuditLog, 'list'>): ReadonlySet<string> => {
  const references = new Set<string>();
  for (let from = 0; ; from += pageSize) {
    const leaves = audit.list(from, pageSize);
    for (const { record } of leaves) {
      // Most records are of other events: what does not even have the word is not read.
      if (record === undefined || !Buffer.from(record.buffer, record.byteOffset, record.length).includes(revocationAction))
        continue;
      const decoded = decodeMessage('AuditRecord', record);
      if (!decoded.ok || decoded.value.event !== revocationEvent || decoded.value.outcome !== 'done') continue;
      const { action, changeReference } = decoded.value;
      if (action === revocationAction && changeReference !== undefined) references.add(toHex(changeReference));
    }
    if (leaves.length < pageSize) return references;
  }
};
