/**
 * COSE signatures (RFC 9052) over deterministic CBOR, untagged.
 *
 * Sign1 for evidence (ML-DSA-65, RFC 9964); Sign with exactly two signers for results (Ed25519, RFC 9864, and
 * ML-DSA-65). Algorithms are fixed by the caller, never taken from the message.
 */
import { type Cbor, decodeCbor, encodeCbor } from '#hal/core/cbor';
import { deny, ok, type Result } from '#hal/core/result';

/** COSE algorithm identifiers: RFC 9864 §2 and RFC 9964 §2. */
export const coseAlgorithm = { ed25519: -19, mlDsa65: -49 } as const;
const headerAlgorithm = 1;
const empty = new Uint8Array();
const noHeader = new Map<number | string, Cbor>();

/** The bytes that a Sign1 signature covers (RFC 9052 §4.4). */
export const sign1Input = (algorithm: number, payload: Uint8Array): Uint8Array =>
  encodeCbor(['Signature1', protectedHeader(algorithm), empty, payload]);

export const encodeSign1 = (algorithm: number, payload: Uint8Array, signature: Uint8Array): Uint8Array =>
  encodeCbor([protectedHeader(algorithm), noHeader, payload, signature]);

export interface Sign1 {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** @returns the parts, or `protocol/malformed`; another algorithm than the expected one is malformed too */
export const decodeSign1 = (algorithm: number, bytes: Uint8Array): Result<Sign1> => {
  const decoded = decodeCbor(bytes);
  if (!decoded.ok) return decoded;
  const parts = decoded.value;
  if (!Array.isArray(parts) || parts.length !== 4) return deny('protocol', 'malformed', 'not a COSE_Sign1');
  const [header, unprotected, payload, signature] = parts as Cbor[];
  if (!sameBytes(header, protectedHeader(algorithm))) return deny('protocol', 'malformed', 'COSE algorithm');
  if (!(unprotected instanceof Map) || unprotected.size !== 0) return deny('protocol', 'malformed', 'COSE unprotected header');
  if (!(payload instanceof Uint8Array) || !(signature instanceof Uint8Array)) return deny('protocol', 'malformed', 'COSE parts');
  return ok({ payload, signature });
};

/** The bytes that one signer of a Sign covers (RFC 9052 §4.4). */
export const signInput = (algorithm: number, payload: Uint8Array): Uint8Array =>
  encodeCbor(['Signature', empty, protectedHeader(algorithm), empty, payload]);

export const encodeSign = (payload: Uint8Array, signatures: readonly SignerSignature[]): Uint8Array =>
  encodeCbor([
    empty,
    noHeader,
    payload,
    signatures.map(({ algorithm, signature }) => [protectedHeader(algorithm), noHeader, signature]),
  ]);

export interface SignerSignature {
  readonly algorithm: number;
  readonly signature: Uint8Array;
}

export interface Sign {
  readonly payload: Uint8Array;
  /** In the order of the expected algorithms. */
  readonly signatures: readonly Uint8Array[];
}

/**
 * Exactly the expected signers in the expected order (SR-09): one more, one less or another is refused.
 * @returns the parts, or `protocol/malformed`
 */
export const decodeSign = (algorithms: readonly number[], bytes: Uint8Array): Result<Sign> => {
  const decoded = decodeCbor(bytes);
  if (!decoded.ok) return decoded;
  const parts = decoded.value;
  if (!Array.isArray(parts) || parts.length !== 4) return deny('protocol', 'malformed', 'not a COSE_Sign');
  const [header, unprotected, payload, signers] = parts as Cbor[];
  if (!sameBytes(header, empty) || !(unprotected instanceof Map) || unprotected.size !== 0 || !(payload instanceof Uint8Array))
    return deny('protocol', 'malformed', 'COSE parts');
  if (!Array.isArray(signers) || signers.length !== algorithms.length) return deny('protocol', 'malformed', 'COSE signers');
  const signatures: Uint8Array[] = [];
  for (const [index, algorithm] of algorithms.entries()) {
    const signer = signers[index] as Cbor;
    if (!Array.isArray(signer) || signer.length !== 3) return deny('protocol', 'malformed', 'COSE signer');
    const [protectedBytes, signerHeader, signature] = signer as Cbor[];
    if (!sameBytes(protectedBytes, protectedHeader(algorithm)) || !(signerHeader instanceof Map) || signerHeader.size !== 0)
      return deny('protocol', 'malformed', 'COSE algorithm');
    if (!(signature instanceof Uint8Array)) return deny('protocol', 'malformed', 'COSE signature');
    signatures.push(signature);
  }
  return ok({ payload, signatures });
};

const protectedHeader = (algorithm: number): Uint8Array => encodeCbor(new Map([[headerAlgorithm, algorithm]]));

const sameBytes = (value: Cbor | undefined, expected: Uint8Array): boolean =>
  value instanceof Uint8Array && Buffer.compare(value, expected) === 0;
