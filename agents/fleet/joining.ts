/** How a device joins: the result that Command may see, the mouth's key and the sealing key, bound by one signature. */
import { createHash } from 'node:crypto';
import type { Passport } from '#agents/attest/verifier-link';
import { concat, utf8 } from '#hal/core/bytes';
import type { FleetJoin } from '#protos/gen/types';

/** Ed25519 signs exactly this: each part has one length, so none runs into the next. */
export const joinBytes = ({ result, linkKey, sealingKey }: Omit<FleetJoin, 'signature'>): Uint8Array =>
  concat(utf8('enigm-fleet-join-1\0'), sha256(result), sha256(linkKey), sha256(sealingKey));

export const joinRequest = ({ result, sign }: Passport, linkKey: Uint8Array, sealingKey: Uint8Array): FleetJoin => ({
  result,
  linkKey,
  sealingKey,
  signature: sign(joinBytes({ result, linkKey, sealingKey })),
});

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
