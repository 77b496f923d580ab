/**
 * Hybrid signatures: one classical and one post-quantum signature over the same bytes, both required (SR-09).
 *
 * A suite is data with an id. The caller of `hybridVerify` names the suite that policy demands; nothing in a message
 * chooses it, so there is no negotiation to win (SR-03). Nothing is added to the signed bytes here: a format that uses
 * these functions puts the suite's id into what it signs, as the envelope does.
 */
import { deny, done, ok, type Result } from '#hal/core/result';
import type { Random } from '#hal/ports/random';
import type { CryptoBackend } from './backend.ts';
import { isP256Secret } from './checks.ts';

export const hybridSignatureSuites = {
  'enigm-ed25519-mldsa65': { id: 'enigm-ed25519-mldsa65', classical: 'ed25519', postQuantum: 'mlDsa65' },
  /** Where a TPM makes the classical signature: Ed25519 is not among the algorithms of TPMs in the field. */
  'enigm-p256-mldsa65': { id: 'enigm-p256-mldsa65', classical: 'p256', postQuantum: 'mlDsa65' },
} as const;

export type HybridSuiteId = keyof typeof hybridSignatureSuites;
export type HybridSuite = (typeof hybridSignatureSuites)[HybridSuiteId];

/** Both secrets have 32 bytes: an Ed25519 seed or a P-256 scalar, and the ML-DSA seed ξ. */
export interface HybridSecretKey {
  readonly suite: HybridSuite;
  readonly classical: Uint8Array;
  readonly postQuantum: Uint8Array;
}

export interface HybridPublicKey {
  readonly suite: HybridSuite;
  readonly classical: Uint8Array;
  readonly postQuantum: Uint8Array;
}

export interface HybridKeyPair {
  readonly secretKey: HybridSecretKey;
  readonly publicKey: HybridPublicKey;
}

export interface HybridSignature {
  readonly classical: Uint8Array;
  readonly postQuantum: Uint8Array;
}

/** As it comes off a wire: an absent signature is undefined or has no bytes. */
export type ReceivedSignature = { readonly [Half in keyof HybridSignature]?: HybridSignature[Half] | undefined };

/** @returns the suite of a configuration or policy, or `integrity/suite-refused` */
export const hybridSuite = (id: string): Result<HybridSuite> =>
  Object.hasOwn(hybridSignatureSuites, id)
    ? ok(hybridSignatureSuites[id as HybridSuiteId])
    : deny('integrity', 'suite-refused', `no suite ${id.slice(0, 64)}`);

export const hybridKeyPair = (backend: CryptoBackend, suite: HybridSuite, random: Random): HybridKeyPair => {
  const secretKey = { suite, classical: classicalSecret(suite, random), postQuantum: random.bytes(32) };
  return { secretKey, publicKey: hybridPublicKey(backend, secretKey) };
};

export const hybridPublicKey = (backend: CryptoBackend, secretKey: HybridSecretKey): HybridPublicKey => {
  const { suite } = secretKey;
  return {
    suite,
    classical: backend[suite.classical].publicKey(secretKey.classical),
    postQuantum: backend[suite.postQuantum].publicKey(secretKey.postQuantum),
  };
};

export const hybridSign = (backend: CryptoBackend, secretKey: HybridSecretKey, message: Uint8Array): HybridSignature => {
  const { suite } = secretKey;
  const classical = backend[suite.classical].sign(secretKey.classical, message);
  const postQuantum = backend[suite.postQuantum].sign(secretKey.postQuantum, message);
  if (classical === undefined || postQuantum === undefined) throw new Error('signing without a context cannot be refused');
  return { classical, postQuantum };
};

/**
 * Verify both signatures.
 *
 * @param suite the suite that policy demands, never one read from the message
 * @param publicKey a key made for that suite; a key of another suite is refused
 * @returns nothing, or `integrity/suite-refused`, `integrity/signature-missing`, `integrity/signature-invalid`
 */
export const hybridVerify = (
  backend: CryptoBackend,
  suite: HybridSuite,
  publicKey: HybridPublicKey,
  message: Uint8Array,
  signature: ReceivedSignature,
): Result<void> => {
  if (publicKey.suite.id !== suite.id)
    return deny('integrity', 'suite-refused', `key of ${publicKey.suite.id}, policy demands ${suite.id}`);
  const { classical = absent, postQuantum = absent } = signature;
  if (classical.length === 0 || postQuantum.length === 0)
    return deny('integrity', 'signature-missing', classical.length === 0 ? suite.classical : suite.postQuantum);
  if (!backend[suite.classical].verify(publicKey.classical, message, classical))
    return deny('integrity', 'signature-invalid', suite.classical);
  if (!backend[suite.postQuantum].verify(publicKey.postQuantum, message, postQuantum))
    return deny('integrity', 'signature-invalid', suite.postQuantum);
  return done;
};

const absent = new Uint8Array(0);

/** One draw misses the range of P-256 with probability 2^-32. */
const maxDraws = 16;

/** FIPS 186-5 §A.2.2: a scalar of P-256 is drawn again until it is in range; Ed25519 takes any 32 bytes. */
const classicalSecret = (suite: HybridSuite, random: Random): Uint8Array => {
  for (let draw = 0; draw < maxDraws; draw++) {
    const secret = random.bytes(32);
    if (suite.classical !== 'p256' || isP256Secret(secret)) return secret;
  }
  throw new Error('the source of randomness is broken');
};
