/**
 * How a device asks a director: a fresh result for it alone, a question that the key of that result signs, and rollout
 * buckets to which the evidence committed before the director saw them (SR-21).
 */
import { createHash } from 'node:crypto';
import type { Passport } from '#agents/attest/verifier-link';
import { concat, utf8 } from '#hal/core/bytes';
import { encodeGiven, encodeMessage } from '#hal/core/message';
import { deny, ok } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { rolloutBucket } from '#ota-client/trust/rollout-bucket';
import type { Fetch } from '#ota-client/trust/session';
import type { DirectorCall, DirectorQuestion, DirectorTargets, RolloutPlaces } from '#protos/gen/types';

/**
 * The pseudonym under this name is shown to nobody: it is the key of the buckets. A new epoch draws anew, or a bucket
 * would tell that two handles are one device.
 */
export const rolloutParty = 'rollout';

const maxPlaces = 32;

/**
 * @param handleKey of `rolloutParty` for the present epoch
 * @param releaseIds the newest last; only the last 32 are named, and none that is no token: nobody could roll that out
 */
export const rolloutPlaces = (crypto: CryptoBackend, handleKey: Uint8Array, releaseIds: readonly string[]): RolloutPlaces => ({
  places: releaseIds
    .map((release) => ({ release, bucket: rolloutBucket(crypto, handleKey, release) }))
    .filter((place) => encodeGiven('RolloutPlace', place).ok)
    .slice(-maxPlaces),
});

/** What evidence commits to and the result repeats: 32 bytes. */
export const rolloutDigest = (places: RolloutPlaces): Uint8Array =>
  sha256(concat(utf8('enigm-rollout-places-1\0'), encodeMessage('RolloutPlaces', places)));

/** Ed25519 signs exactly this: each part has one length, so none runs into the next. */
export const directorCallBytes = ({ result, question }: Omit<DirectorCall, 'signature'>): Uint8Array =>
  concat(utf8('enigm-director-call-1\0'), sha256(result), sha256(question));

export const directorCall = ({ result, sign }: Passport, question: DirectorQuestion): DirectorCall => {
  const bytes = encodeMessage('DirectorQuestion', question);
  return { result, question: bytes, signature: sign(directorCallBytes({ result, question: bytes })) };
};

/** The answer as a repository to refresh from: what is not in it is not there. */
export const fetchFromAnswer =
  ({ files }: DirectorTargets): Fetch =>
  async (name, maxBytes) => {
    const file = files.find((candidate) => candidate.name === name);
    if (file === undefined) return deny('unavailable', 'not-found', name);
    return file.bytes.length > maxBytes ? deny('protocol', 'too-large', name) : ok(file.bytes);
  };

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
