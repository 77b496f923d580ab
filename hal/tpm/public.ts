/** TPMT_PUBLIC (TPM 2.0 Part 2 §12.2.4): keys and sealed objects as the TPM describes them, and their names. */
import { createHash } from 'node:crypto';
import { concat, u16be, u32be } from '#hal/core/bytes';
import { malformed, parse, type Reader } from '#hal/core/reader';
import { deny, type Result } from '#hal/core/result';
import { alg, curve } from '#hal/tpm/constants';

export interface PublicArea {
  /** TPM_ALG_ID of the name. */
  readonly nameAlg: number;
  /** TPMA_OBJECT. */
  readonly attributes: number;
  readonly authPolicy: Uint8Array;
  readonly key: EccKey | RsaKey | KeyedHash;
}

export interface EccKey {
  readonly type: 'ecc';
  readonly symmetric: Symmetric | undefined;
  readonly scheme: Scheme | undefined;
  /** TPM_ECC_CURVE. */
  readonly curve: number;
  /** Affine coordinates, as long as the TPM wrote them. */
  readonly x: Uint8Array;
  readonly y: Uint8Array;
}

export interface RsaKey {
  readonly type: 'rsa';
  readonly symmetric: Symmetric | undefined;
  readonly scheme: Scheme | undefined;
  readonly bits: number;
  /** 0 stands for 65537. */
  readonly exponent: number;
  readonly modulus: Uint8Array;
}

/** A sealed object: a keyed hash without a scheme. */
export interface KeyedHash {
  readonly type: 'keyedHash';
  readonly unique: Uint8Array;
}

/** TPMT_SYM_DEF_OBJECT; only AES in CFB is read. */
export interface Symmetric {
  readonly bits: number;
}

/** TPMT_ASYM_SCHEME with its hash. */
export interface Scheme {
  readonly algorithm: number;
  readonly hash: number;
}

const maxCoordinateBytes = 66;
const maxModulusBytes = 512;

/** @returns the public area, or `attestation/malformed`, also for key types that no key of ours has */
export const parsePublic = (bytes: Uint8Array): Result<PublicArea> =>
  parse(bytes, readPublic, (why) => deny('attestation', 'malformed', `TPMT_PUBLIC: ${why}`));

const readPublic = (reader: Reader): PublicArea => {
  const type = reader.u16be();
  const nameAlg = reader.u16be();
  const attributes = reader.u32be();
  const authPolicy = sized(reader, 64);
  if (type === alg.ecc) {
    const symmetric = readSymmetric(reader);
    const scheme = readScheme(reader);
    const curveId = reader.u16be();
    if (reader.u16be() !== alg.null) malformed('a key derivation scheme');
    return {
      nameAlg,
      attributes,
      authPolicy,
      key: {
        type: 'ecc',
        symmetric,
        scheme,
        curve: curveId,
        x: sized(reader, maxCoordinateBytes),
        y: sized(reader, maxCoordinateBytes),
      },
    };
  }
  if (type === alg.rsa) {
    const symmetric = readSymmetric(reader);
    const scheme = readScheme(reader);
    return {
      nameAlg,
      attributes,
      authPolicy,
      key: {
        type: 'rsa',
        symmetric,
        scheme,
        bits: reader.u16be(),
        exponent: reader.u32be(),
        modulus: sized(reader, maxModulusBytes),
      },
    };
  }
  if (type === alg.keyedHash) {
    if (reader.u16be() !== alg.null) malformed('a keyed hash with a scheme');
    return { nameAlg, attributes, authPolicy, key: { type: 'keyedHash', unique: sized(reader, 64) } };
  }
  return malformed(`key type ${type.toString(16)}`);
};

const readSymmetric = (reader: Reader): Symmetric | undefined => {
  const algorithm = reader.u16be();
  if (algorithm === alg.null) return undefined;
  if (algorithm !== alg.aes) malformed('a symmetric algorithm other than AES');
  const bits = reader.u16be();
  if (reader.u16be() !== alg.cfb) malformed('an AES mode other than CFB');
  return { bits };
};

const readScheme = (reader: Reader): Scheme | undefined => {
  const algorithm = reader.u16be();
  if (algorithm === alg.null) return undefined;
  if (algorithm !== alg.ecdsa && algorithm !== alg.rsassa && algorithm !== alg.rsapss)
    malformed(`scheme ${algorithm.toString(16)}`);
  return { algorithm, hash: reader.u16be() };
};

const sized = (reader: Reader, mostBytes: number): Uint8Array => {
  const length = reader.u16be();
  if (length > mostBytes) malformed(`${length} bytes where at most ${mostBytes} may be`);
  return reader.take(length);
};

export const encodePublic = (area: PublicArea): Uint8Array => {
  const { key } = area;
  const head = (type: number) => concat(u16be(type), u16be(area.nameAlg), u32be(area.attributes >>> 0), tpm2b(area.authPolicy));
  if (key.type === 'keyedHash') return concat(head(alg.keyedHash), u16be(alg.null), tpm2b(key.unique));
  const symmetric =
    key.symmetric === undefined ? u16be(alg.null) : concat(u16be(alg.aes), u16be(key.symmetric.bits), u16be(alg.cfb));
  const scheme = key.scheme === undefined ? u16be(alg.null) : concat(u16be(key.scheme.algorithm), u16be(key.scheme.hash));
  return key.type === 'ecc'
    ? concat(head(alg.ecc), symmetric, scheme, u16be(key.curve), u16be(alg.null), tpm2b(key.x), tpm2b(key.y))
    : concat(head(alg.rsa), symmetric, scheme, u16be(key.bits), u32be(key.exponent), tpm2b(key.modulus));
};

/** TPM2B form of anything: a 16-bit length before it. */
export const tpm2b = (bytes: Uint8Array): Uint8Array => concat(u16be(bytes.length), bytes);

/** Name of an object with nameAlg SHA-256 (Part 1 §16): the algorithm, then the digest of its public area. */
export const nameOf = (publicArea: Uint8Array): Uint8Array =>
  concat(u16be(alg.sha256), createHash('sha256').update(publicArea).digest());

/** The uncompressed P-256 point 04‖x‖y (SEC 1 §2.3.3), coordinates padded to 32 bytes; undefined for another key. */
export const p256Point = (area: PublicArea): Uint8Array | undefined => {
  const { key } = area;
  if (key.type !== 'ecc' || key.curve !== curve.p256 || key.x.length > 32 || key.y.length > 32) return undefined;
  const point = new Uint8Array(65);
  point[0] = 4;
  point.set(key.x, 33 - key.x.length);
  point.set(key.y, 65 - key.y.length);
  return point;
};
