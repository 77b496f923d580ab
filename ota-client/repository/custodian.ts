/** Who signs metadata. Keys are held elsewhere: a custodian is a name, two public keys, and a way to ask for both signatures. */

import { toHex } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { HybridSecretKey, HybridSignature } from '#hal/crypto/suites';
import type { SigningToken } from '#hal/ports/signing-token';
import { canonicalJson } from '#ota-client/trust/canonical';
import { ed25519Json, mlDsa65Json, mlDsaSignedBytes } from '#ota-client/trust/keys';

export interface Custodian {
  readonly name: string;
  readonly ed25519: Uint8Array;
  readonly mlDsa65: Uint8Array;
}

/** What each of the two keys of a custodian signs; the same bytes in an envelope, not so in metadata. */
export type HybridMessages = HybridSignature;

export interface Signer extends Custodian {
  sign(messages: HybridMessages): Promise<Result<HybridSignature>>;
}

/** Both signatures of one custodian, made wherever its keys are. */
export interface CustodianSignature extends HybridSignature {
  /** Of the custodian. */
  readonly name: string;
}

/** Those who may sign for one role, and how many of them must. */
export interface Quorum {
  readonly custodians: readonly Custodian[];
  readonly threshold: number;
}

/**
 * A custodian whose keys are at hand.
 * @param crypto where it signs deterministically (FIPS 204 §3.4), the same metadata has the same bytes
 */
export const signerFromSecret = (crypto: CryptoBackend, name: string, secret: HybridSecretKey): Signer => {
  if (secret.suite.id !== 'enigm-ed25519-mldsa65') throw new RangeError(`metadata is not signed with ${secret.suite.id}`);
  const signPostQuantum = crypto.mlDsa65.signDeterministic ?? crypto.mlDsa65.sign;
  return {
    name,
    ed25519: crypto.ed25519.publicKey(secret.classical),
    mlDsa65: crypto.mlDsa65.publicKey(secret.postQuantum),
    async sign(messages) {
      const classical = crypto.ed25519.sign(secret.classical, messages.classical);
      const postQuantum = signPostQuantum(secret.postQuantum, messages.postQuantum);
      if (classical === undefined || postQuantum === undefined) throw new Error('signing without a context cannot be refused');
      return ok({ classical, postQuantum });
    },
  };
};

/**
 * A custodian whose classical key lies in a token.
 * @param ed25519 public half of that key
 * @param seed of the post-quantum key, which no token in the field holds yet
 */
export const signerWithToken = (
  crypto: CryptoBackend,
  name: string,
  token: Pick<SigningToken, 'sign'>,
  ed25519: Uint8Array,
  seed: Uint8Array,
): Signer => {
  const signPostQuantum = crypto.mlDsa65.signDeterministic ?? crypto.mlDsa65.sign;
  return {
    ...{ name, ed25519, mlDsa65: crypto.mlDsa65.publicKey(seed) },
    async sign(messages) {
      const classical = await token.sign(messages.classical);
      if (!classical.ok) return classical;
      if (!crypto.ed25519.verify(ed25519, messages.classical, classical.value))
        return deny('integrity', 'signature-invalid', `the token signs with another key than that of ${name}`);
      const postQuantum = signPostQuantum(seed, messages.postQuantum);
      if (postQuantum === undefined) throw new Error('signing without a context cannot be refused');
      return ok({ classical: classical.value, postQuantum });
    },
  };
};

/** What is signed of metadata: its canonical JSON, and what TAP 21 makes of it. */
export const metadataMessages = (crypto: CryptoBackend, canonical: Uint8Array): HybridMessages => ({
  classical: canonical,
  postQuantum: mlDsaSignedBytes(crypto, canonical),
});

/** Both, each with its key: half a signature is none (SR-09). */
export const isSignedBy = (
  crypto: CryptoBackend,
  { ed25519, mlDsa65 }: Custodian,
  messages: HybridMessages,
  signature: HybridSignature,
): boolean =>
  crypto.ed25519.verify(ed25519, messages.classical, signature.classical) &&
  crypto.mlDsa65.verify(mlDsa65, messages.postQuantum, signature.postQuantum);

/** The keys of a custodian as metadata has them, by key id: SHA-256 of the canonical key, as the reference client makes it. */
export const keysOf = (crypto: CryptoBackend, { name, ed25519, mlDsa65 }: Custodian) => {
  const classical = ed25519Json(ed25519, name);
  const postQuantum = mlDsa65Json(mlDsa65, name);
  const idOf = (key: typeof classical): string => toHex(crypto.hash('sha256', canonicalJson(key)));
  return { classical: { id: idOf(classical), key: classical }, postQuantum: { id: idOf(postQuantum), key: postQuantum } };
};
