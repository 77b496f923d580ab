/**
 * The production back end: `node:crypto` over OpenSSL 3.5.
 *
 * It signs ML-DSA hedged only (`deterministic: true` is ignored without an error) and cannot encapsulate from given
 * randomness, so the optional members of the interface are absent.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  type KeyObject,
  type SigningOptions,
  sign,
  verify,
} from 'node:crypto';
import { concat, fixedBytes, wipe } from '#hal/core/bytes';
import type { Aead, CryptoBackend, Kem, KeyAgreement, SignatureScheme } from './backend.ts';
import { isEd25519Point, isP256Secret, isUncompressedPoint, maxContextBytes, orRefuse, requireBytes } from './checks.ts';
import { publicKeyCache } from './public-keys.ts';

const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array => {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return bytesOf(mac.digest());
};

/** RFC 5869 over OpenSSL's HMAC, because `hkdfSync` refuses an info above 1024 bytes and an output of none. */
const hkdf = (secret: Uint8Array, salt: Uint8Array, info: Uint8Array, lengthBytes: number): Uint8Array | undefined => {
  if (lengthBytes > 255 * 32) return undefined; // §2.3: L ≤ 255 × HashLen
  const pseudorandom = hmac(salt, secret); // §2.2
  const output = fixedBytes(lengthBytes);
  let block: Uint8Array = new Uint8Array(0);
  for (let offset = 0; offset < lengthBytes; offset += 32) {
    const next = hmac(pseudorandom, block, info, Uint8Array.of(offset / 32 + 1)); // §2.3: T(N) = HMAC(T(N-1)‖info‖N)
    wipe(block);
    block = next;
    output.set(block.subarray(0, lengthBytes - offset), offset);
  }
  wipe(pseudorandom, block);
  return output;
};

const tagBytes = 16;

const chacha20Poly1305: Aead = {
  seal(key, nonce, associated, plaintext) {
    requireAeadSizes(key, nonce);
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(associated, { plaintextLength: plaintext.length });
    return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
  },
  open(key, nonce, associated, sealed) {
    requireAeadSizes(key, nonce);
    if (sealed.length < tagBytes) return undefined;
    const bodyBytes = sealed.length - tagBytes;
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(associated, { plaintextLength: bodyBytes });
    decipher.setAuthTag(sealed.subarray(bodyBytes));
    const plaintext = bytesOf(decipher.update(sealed.subarray(0, bodyBytes)));
    if (orRefuse(() => decipher.final()) !== undefined) return plaintext;
    wipe(plaintext);
    return undefined;
  },
};

/** OpenSSL pads a short nonce in silence. */
const requireAeadSizes = (key: Uint8Array, nonce: Uint8Array): void => {
  requireBytes(key, 32, 'key');
  requireBytes(nonce, 12, 'nonce');
};

interface KeyType {
  readonly asymmetricKeyType: 'x25519' | 'ed25519' | 'ec' | 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87' | 'ml-kem-768';
  readonly namedCurve?: 'P-256';
}

const rawPrivate = (type: KeyType, secret: Uint8Array): KeyObject =>
  createPrivateKey({ ...type, format: 'raw-private', key: bufferOf(secret) });

/** FIPS 203 and 204 keys from their seed. */
const fromSeed = (type: KeyType, seed: Uint8Array): KeyObject =>
  createPrivateKey({ ...type, format: 'raw-seed', key: bufferOf(seed) });

/** undefined for bytes that OpenSSL refuses: a point off the curve, a wrong size, a coefficient of q or more. */
const rawPublic = (type: KeyType, publicKey: Uint8Array): KeyObject | undefined =>
  orRefuse(() => createPublicKey({ ...type, format: 'raw-public', key: bufferOf(publicKey) }));

const publicBytes = (privateKey: KeyObject): Uint8Array => bytesOf(createPublicKey(privateKey).export({ format: 'raw-public' }));

const x25519Type: KeyType = { asymmetricKeyType: 'x25519' };

const x25519: KeyAgreement = {
  publicKey(secret) {
    requireBytes(secret, 32, 'secret');
    return publicBytes(rawPrivate(x25519Type, secret));
  },
  shared(secret, publicKey) {
    requireBytes(secret, 32, 'secret');
    const privateKey = rawPrivate(x25519Type, secret);
    const peer = rawPublic(x25519Type, publicKey);
    if (peer === undefined) return undefined;
    // RFC 7748 §6.1: OpenSSL fails on an all-zero result.
    return orRefuse(() => bytesOf(diffieHellman({ privateKey, publicKey: peer })));
  },
};

/** For each scheme: the keys of policy and of the peers of the hour, not those of a whole fleet. */
const cachedKeys = 64;

interface SchemeOptions {
  readonly publicKeyBytes: number;
  readonly signatureBytes: number;
  readonly type: KeyType;
  readonly digest: 'sha256' | null;
  readonly importSecret: (type: KeyType, secret: Uint8Array) => KeyObject;
  /** What the standard demands and OpenSSL does not check; sizes are checked before. */
  readonly accepts: (publicKey: Uint8Array, signature: Uint8Array) => boolean;
  /** undefined where this scheme cannot take the context */
  readonly options: (context: Uint8Array | undefined) => SigningOptions | undefined;
}

const signatureScheme = (scheme: SchemeOptions): SignatureScheme => {
  const { publicKeyBytes, signatureBytes, type, digest, importSecret } = scheme;
  const imported = publicKeyCache(cachedKeys);
  return {
    publicKeyBytes,
    signatureBytes,
    publicKey: (secret) => publicBytes(importSecret(type, secret)),
    sign(secret, message, context) {
      const key = importSecret(type, secret);
      const options = scheme.options(context);
      return options && bytesOf(sign(digest, message, { ...options, key }));
    },
    verify(publicKey, message, signature, context) {
      const options = scheme.options(context);
      if (options === undefined || signature.length !== signatureBytes) return false;
      if (publicKey.length !== publicKeyBytes || !scheme.accepts(publicKey, signature)) return false;
      const key = imported(publicKey, () => rawPublic(type, publicKey));
      return key !== undefined && verify(digest, message, { ...options, key }, signature);
    },
  };
};

const withoutContext =
  (options: SigningOptions) =>
  (context: Uint8Array | undefined): SigningOptions | undefined =>
    context === undefined ? options : undefined;

const ed25519 = signatureScheme({
  publicKeyBytes: 32,
  signatureBytes: 64,
  type: { asymmetricKeyType: 'ed25519' },
  digest: null,
  importSecret(type, secret) {
    requireBytes(secret, 32, 'secret');
    return rawPrivate(type, secret);
  },
  accepts: (publicKey, signature) => isEd25519Point(publicKey) && isEd25519Point(signature.subarray(0, 32)),
  options: withoutContext({}), // a context would silently make it Ed25519ctx
});

const p256 = signatureScheme({
  publicKeyBytes: 65,
  signatureBytes: 64,
  type: { asymmetricKeyType: 'ec', namedCurve: 'P-256' },
  digest: 'sha256',
  importSecret(type, secret) {
    if (!isP256Secret(secret)) throw new RangeError('secret is not a scalar of P-256');
    return rawPrivate(type, secret);
  },
  accepts: isUncompressedPoint,
  options: withoutContext({ dsaEncoding: 'ieee-p1363' }),
});

/** FIPS 204 Table 2: sizes of keys and signatures. */
const mlDsa = (asymmetricKeyType: KeyType['asymmetricKeyType'], publicKeyBytes: number, signatureBytes: number) =>
  signatureScheme({
    publicKeyBytes,
    signatureBytes,
    type: { asymmetricKeyType },
    digest: null,
    importSecret(type, seed) {
      requireBytes(seed, 32, 'seed');
      return fromSeed(type, seed);
    },
    accepts: () => true,
    options(context = new Uint8Array(0)) {
      return context.length <= maxContextBytes ? { context } : undefined;
    },
  });

const kemType: KeyType = { asymmetricKeyType: 'ml-kem-768' };

/** FIPS 203 Table 3. */
const mlKem768: Kem = {
  seedBytes: 64,
  publicKeyBytes: 1184,
  ciphertextBytes: 1088,
  publicKey: (seed) => publicBytes(kemSecret(seed)),
  encapsulate(publicKey) {
    const key = rawPublic(kemType, publicKey); // §7.2: size and modulus are checked by the import
    if (key === undefined) return undefined;
    const { ciphertext, sharedKey } = encapsulate(key);
    return { ciphertext: bytesOf(ciphertext), shared: bytesOf(sharedKey) };
  },
  decapsulate(seed, ciphertext) {
    const key = kemSecret(seed);
    return ciphertext.length === mlKem768.ciphertextBytes ? bytesOf(decapsulate(key, ciphertext)) : undefined;
  },
};

const kemSecret = (seed: Uint8Array): KeyObject => {
  requireBytes(seed, mlKem768.seedBytes, 'seed');
  return fromSeed(kemType, seed);
};

export const nodeCrypto = {
  name: 'node',
  hash(algorithm, ...parts) {
    const hash = createHash(algorithm);
    for (const part of parts) hash.update(part);
    return bytesOf(hash.digest());
  },
  shake256: (bytes, lengthBytes) => bytesOf(createHash('shake256', { outputLength: lengthBytes }).update(bytes).digest()),
  hmac,
  hkdf,
  chacha20Poly1305,
  x25519,
  ed25519,
  p256,
  mlDsa44: mlDsa('ml-dsa-44', 1312, 2420),
  mlDsa65: mlDsa('ml-dsa-65', 1952, 3309),
  mlDsa87: mlDsa('ml-dsa-87', 2592, 4627),
  mlKem768,
} as const satisfies CryptoBackend;

/** The same memory without Node's `Buffer` methods, whose `slice` differs. */
const bytesOf = (buffer: Buffer): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
