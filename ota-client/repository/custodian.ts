/** Who signs metadata. Keys are held elsewhere: a custodian is a name, two public keys, and a way to ask for both signatures. */

import { toHex, wipe } from '#hal/core/bytes';
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

/** Where the keys of a custodian are that are not at hand. */
export interface HeldKeys {
  /** Has the classical key; without one it is among the secrets. */
  readonly token?: Pick<SigningToken, 'sign'> | undefined;
  /** Seeds for one signature: of the classical key, where no token has it, then of the post-quantum one; 32 bytes each. They are wiped after it. */
  open(): Promise<Result<Uint8Array>>;
}

const seedBytes = 32;

/**
 * A custodian whose keys are asked for at each signature, and what comes is compared with the public halves: a file that was
 * changed, or a token with another key, gives no half of a signature.
 */
export const signerWith = (crypto: CryptoBackend, custodian: Custodian, { token, open }: HeldKeys): Signer => {
  const signPostQuantum = crypto.mlDsa65.signDeterministic ?? crypto.mlDsa65.sign;
  const { name, ed25519, mlDsa65 } = custodian;
  const strange = deny('integrity', 'signature-invalid', `signed with another key than that of ${name}`);
  return {
    ...{ name, ed25519, mlDsa65 },
    async sign(messages) {
      // A person may have to touch the token: the secrets are not in memory meanwhile.
      const made = token === undefined ? ok(undefined) : await token.sign(messages.classical);
      if (!made.ok) return made;
      const seeds = await open();
      if (!seeds.ok) return seeds;
      try {
        if (seeds.value.length !== (token === undefined ? 2 : 1) * seedBytes) return strange;
        const classical = made.value ?? crypto.ed25519.sign(seeds.value.subarray(0, seedBytes), messages.classical);
        const postQuantum = signPostQuantum(seeds.value.subarray(-seedBytes), messages.postQuantum);
        if (classical === undefined || postQuantum === undefined) throw new Error('signing without a context cannot be refused');
        const signature = { classical, postQuantum };
        return isSignedBy(crypto, custodian, messages, signature) ? ok(signature) : strange;
      } finally {
        wipe(seeds.value);
      }
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
