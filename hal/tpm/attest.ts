/** What a TPM signs: TPMS_ATTEST of a quote (TPM 2.0 Part 2 §10.12.8) and TPMT_SIGNATURE (§11.3.4). */
import { createHash } from 'node:crypto';
import { concat, u8, u16be, u32be } from '#hal/core/bytes';
import { malformed, parse, type Reader } from '#hal/core/reader';
import { deny, type Result } from '#hal/core/result';
import { alg, generatedValue, structureTag } from '#hal/tpm/constants';

export interface QuoteAttest {
  /** Qualified name of the signing key. */
  readonly qualifiedSigner: Uint8Array;
  /** The caller's qualifying data. */
  readonly extraData: Uint8Array;
  readonly clock: ClockInfo;
  readonly firmwareVersion: bigint;
  readonly selections: readonly PcrSelection[];
  readonly pcrDigest: Uint8Array;
}

/** TPMS_CLOCK_INFO, §10.11.1. */
export interface ClockInfo {
  /** Milliseconds that the TPM has been powered, over its life. */
  readonly clockMs: bigint;
  readonly resetCount: number;
  readonly restartCount: number;
  /** False when the clock may have gone back: an unorderly shutdown. */
  readonly isSafe: boolean;
}

/** TPMS_PCR_SELECTION, §10.6.1: one bank, ascending indices. */
export interface PcrSelection {
  readonly hash: number;
  readonly pcrs: readonly number[];
}

const maxSelections = 16;

/** PC Client Platform TPM Profile 1.05 §4.6: registers 0 to 23. */
const pcrCount = 24;

/** Ascending registers of a PC client's TPM, none twice: the only form in which we ask for them or take them. */
export const areRegisters = (pcrs: readonly number[]): boolean =>
  pcrs.every(
    (pcr, index) => Number.isInteger(pcr) && pcr >= 0 && pcr < pcrCount && (index === 0 || pcr > (pcrs[index - 1] as number)),
  );

/**
 * @returns the quote; `attestation/quote-type` where a TPM did not make it or it is another attestation;
 * `attestation/malformed` where it cannot be read to its last byte
 */
export const parseQuote = (bytes: Uint8Array): Result<QuoteAttest> => {
  if (bytes.length < 6) return deny('attestation', 'malformed', 'TPMS_ATTEST: truncated');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== generatedValue) return deny('attestation', 'quote-type', 'magic');
  if (view.getUint16(4) !== structureTag.attestQuote) return deny('attestation', 'quote-type', 'type');
  return parse(bytes, readQuote, (why) => deny('attestation', 'malformed', `TPMS_ATTEST: ${why}`));
};

const readQuote = (reader: Reader): QuoteAttest => {
  reader.take(6);
  return {
    qualifiedSigner: sized(reader, 66),
    extraData: sized(reader, 64),
    clock: readClockInfo(reader),
    firmwareVersion: reader.u64be(),
    selections: readSelections(reader),
    pcrDigest: sized(reader, 64),
  };
};

const readClockInfo = (reader: Reader): ClockInfo => {
  const clockMs = reader.u64be();
  const resetCount = reader.u32be();
  const restartCount = reader.u32be();
  const safe = reader.u8();
  if (safe > 1) malformed('safe is neither 0 nor 1');
  return { clockMs, resetCount, restartCount, isSafe: safe === 1 };
};

/** TPML_PCR_SELECTION, §10.9.7. */
const readSelections = (reader: Reader): PcrSelection[] => {
  const count = reader.u32be();
  if (count > maxSelections) malformed(`${count} PCR selections`);
  return Array.from({ length: count }, () => {
    const hash = reader.u16be();
    const size = reader.u8();
    if (size < 1 || size > 4) malformed(`sizeofSelect ${size}`);
    const mask = reader.take(size);
    const pcrs: number[] = [];
    for (let pcr = 0; pcr < size * 8; pcr++) if (((mask[pcr >> 3] as number) >> (pcr & 7)) & 1) pcrs.push(pcr);
    return { hash, pcrs };
  });
};

const sized = (reader: Reader, mostBytes: number): Uint8Array => {
  const length = reader.u16be();
  if (length > mostBytes) malformed(`${length} bytes where at most ${mostBytes} may be`);
  return reader.take(length);
};

/** TPML_PCR_SELECTION over 24 registers; any other throws. */
export const encodeSelections = (selections: readonly PcrSelection[]): Uint8Array =>
  concat(
    u32be(selections.length),
    ...selections.map(({ hash, pcrs }) => {
      if (!areRegisters(pcrs)) throw new RangeError('no ascending list of registers');
      const mask = new Uint8Array(3);
      for (const pcr of pcrs) mask[pcr >> 3] = (mask[pcr >> 3] as number) | (1 << (pcr & 7));
      return concat(u16be(hash), u8(3), mask);
    }),
  );

/** The digest that a quote carries: SHA-256 over the selected values in selection order (Part 3 §18.4). */
export const pcrDigestOf = (values: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const value of values) hash.update(value);
  return hash.digest();
};

export interface TpmSignature {
  readonly algorithm: 'ecdsa' | 'rsassa';
  readonly hash: number;
  /** r‖s, each padded to 32 bytes, for ECDSA on P-256; the signature block for RSASSA. */
  readonly bytes: Uint8Array;
}

/** @returns the signature, or `attestation/malformed`, `attestation/algorithm` */
export const parseSignature = (bytes: Uint8Array): Result<TpmSignature> => {
  const refuse = (why: string) => deny('attestation', 'malformed', `TPMT_SIGNATURE: ${why}`);
  if (bytes.length < 4) return refuse('truncated');
  const algorithm = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint16(0);
  if (algorithm !== alg.ecdsa && algorithm !== alg.rsassa)
    return deny('attestation', 'algorithm', `signature ${algorithm.toString(16)}`);
  return parse(
    bytes,
    (reader): TpmSignature => {
      reader.take(2);
      const hash = reader.u16be();
      if (algorithm === alg.rsassa) return { algorithm: 'rsassa', hash, bytes: sized(reader, 512) };
      const r = sized(reader, 32);
      const s = sized(reader, 32);
      const both = new Uint8Array(64);
      both.set(r, 32 - r.length);
      both.set(s, 64 - s.length);
      return { algorithm: 'ecdsa', hash, bytes: both };
    },
    refuse,
  );
};
