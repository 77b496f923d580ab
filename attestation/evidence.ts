/**
 * Evidence: one CMW collection (RFC 9999) under one ML-DSA-65 signature, bound by one TPM quote (SR-06).
 *
 * The quote's qualifying data covers everything else, the post-quantum signature covers the quote: neither can be
 * stripped, relayed for another key, or put together with parts of another device.
 */
import { createHash } from 'node:crypto';
import { coseAlgorithm, decodeSign1, encodeSign1, sign1Input } from '#attestation/cose';
import { evidenceProfile } from '#attestation/labels';
import { type Cbor, decodeCbor, encodeCbor } from '#hal/core/cbor';
import { deny, ok, type Result } from '#hal/core/result';
import type { Quote } from '#hal/ports/tpm';
import { areRegisters } from '#hal/tpm/attest';

export type Purpose = 'enrol' | 'attest';

/** The suite of evidence: P-256 by the TPM and ML-DSA-65 by the device key that the TPM seals. */
export const evidenceSuite = 'enigm-p256-mldsa65';

export interface Evidence {
  readonly purpose: Purpose;
  readonly verifier: string;
  /** Encoded claims (claims.ts). */
  readonly claims: Uint8Array;
  readonly quote: Quote;
  /** Ascending registers of the quote, SHA-256 bank. */
  readonly pcrs: readonly number[];
  readonly bootLog: LogReference;
  /** ML-DSA-65 public key: 1952 bytes. */
  readonly postQuantumKey: Uint8Array;
}

/** A boot log by its digest; the bytes themselves are sent once for a boot. */
export interface LogReference {
  readonly digest: Uint8Array;
  readonly bytes?: Uint8Array;
}

/** What the quote binds, in the order of SR-06. */
export interface Binding {
  readonly purpose: Purpose;
  readonly verifier: string;
  readonly nonce: Uint8Array;
  readonly claims: Uint8Array;
  readonly bootLogDigest: Uint8Array;
  readonly postQuantumKey: Uint8Array;
  readonly confirmationKey: Uint8Array;
}

/** qualifyingData of the quote: SHA-256 of a deterministic CBOR array (SR-06). IMA cursor and TEE token are absent here. */
export const qualifyingData = (binding: Binding): Uint8Array =>
  sha256(
    encodeCbor([
      'enigm-attest-1',
      evidenceSuite,
      binding.purpose,
      binding.verifier,
      binding.nonce,
      sha256(binding.claims),
      [['boot', binding.bootLogDigest]],
      absent,
      absent,
      binding.postQuantumKey,
      sha256(binding.confirmationKey),
    ]),
  );

/** The bytes that the device's ML-DSA-65 key signs. */
export const evidenceInput = (evidence: Evidence): { readonly payload: Uint8Array; readonly signed: Uint8Array } => {
  const payload = encodeCbor(
    new Map<string, Cbor>([
      ['__cmwc_t', evidenceProfile],
      ['session', [mediaType('session'), encodeCbor([evidenceSuite, evidence.purpose, evidence.verifier])]],
      ['claims', ['application/eat-ucs+cbor', evidence.claims]],
      [
        'quote',
        [
          mediaType('tpm-quote'),
          encodeCbor([evidence.quote.attest, evidence.quote.signature, [...evidence.pcrs], [...evidence.quote.pcrValues]]),
        ],
      ],
      ['boot-log', [mediaType('boot-log'), encodeCbor([evidence.bootLog.digest, evidence.bootLog.bytes ?? null])]],
      ['key', [mediaType('ml-dsa-65'), evidence.postQuantumKey]],
    ]),
  );
  return { payload, signed: sign1Input(coseAlgorithm.mlDsa65, payload) };
};

export const encodeEvidence = (payload: Uint8Array, signature: Uint8Array): Uint8Array =>
  encodeSign1(coseAlgorithm.mlDsa65, payload, signature);

export interface SignedEvidence {
  readonly evidence: Evidence;
  /** What the post-quantum signature must verify over. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/** @returns the evidence in its parts, nothing verified; `attestation/malformed`, or `attestation/pq-missing` for an empty signature */
export const decodeEvidence = (bytes: Uint8Array): Result<SignedEvidence> => {
  const sign1 = decodeSign1(coseAlgorithm.mlDsa65, bytes);
  if (!sign1.ok) return deny('attestation', 'malformed', sign1.fault.detail);
  const { payload, signature } = sign1.value;
  if (signature.length === 0) return deny('attestation', 'pq-missing');
  const collection = decodeCbor(payload);
  if (
    !collection.ok ||
    !(collection.value instanceof Map) ||
    collection.value.size !== 6 ||
    collection.value.get('__cmwc_t') !== evidenceProfile
  )
    return malformed('collection');
  const part = (name: string, type: string): Uint8Array | undefined => {
    const record = (collection.value as ReadonlyMap<string, Cbor>).get(name);
    return Array.isArray(record) && record.length === 2 && record[0] === type && record[1] instanceof Uint8Array
      ? record[1]
      : undefined;
  };
  const session = decodeParts(part('session', mediaType('session')), 3);
  const claims = part('claims', 'application/eat-ucs+cbor');
  const quote = decodeParts(part('quote', mediaType('tpm-quote')), 4);
  const bootLog = decodeParts(part('boot-log', mediaType('boot-log')), 2);
  const postQuantumKey = part('key', mediaType('ml-dsa-65'));
  if (!session || !claims || !quote || !bootLog || !postQuantumKey) return malformed('parts');

  const [suite, purpose, verifier] = session;
  if (suite !== evidenceSuite || (purpose !== 'enrol' && purpose !== 'attest') || typeof verifier !== 'string')
    return malformed('session');
  const [attest, quoteSignature, pcrs, pcrValues] = quote;
  if (
    !(attest instanceof Uint8Array) ||
    !(quoteSignature instanceof Uint8Array) ||
    !isPcrList(pcrs) ||
    !isDigestList(pcrValues, pcrs.length)
  )
    return malformed('quote');
  const [digest, log] = bootLog;
  if (!isDigest(digest) || !(log === null || log instanceof Uint8Array)) return malformed('boot log');

  return ok({
    evidence: {
      purpose,
      verifier,
      claims,
      quote: { attest, signature: quoteSignature, pcrValues },
      pcrs,
      bootLog: log === null ? { digest } : { digest, bytes: log },
      postQuantumKey,
    },
    signed: sign1Input(coseAlgorithm.mlDsa65, payload),
    signature,
  });
};

const malformed = (what: string) => deny('attestation', 'malformed', `evidence: ${what}`);
const absent = new Uint8Array();
const mediaType = (name: string): string => `application/vnd.enigm.${name}+cbor`;
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

const decodeParts = (bytes: Uint8Array | undefined, count: number): readonly Cbor[] | undefined => {
  const decoded = bytes === undefined ? undefined : decodeCbor(bytes);
  return decoded?.ok && Array.isArray(decoded.value) && decoded.value.length === count ? (decoded.value as Cbor[]) : undefined;
};

const isDigest = (value: Cbor | undefined): value is Uint8Array => value instanceof Uint8Array && value.length === 32;

const isDigestList = (value: Cbor | undefined, count: number): value is readonly Uint8Array[] =>
  Array.isArray(value) && value.length === count && value.every((item) => isDigest(item as Cbor));

const isPcrList = (value: Cbor | undefined): value is readonly number[] =>
  Array.isArray(value) && areRegisters(value as readonly number[]);
