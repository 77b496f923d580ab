/**
 * The signed statement of a release, in a layout without a parser: what the hands verify themselves before they write or
 * arm anything (SR-01).
 *
 * magic "enigmrl1"(8) ‖ counter(8) ‖ floor epoch(4) ‖ image bytes(8) ‖ verity root(32) ‖ salt(32) ‖ UUID(16) ‖
 * SHA-256 of the hardware class(32). 140 bytes, numbers big-endian.
 */
import { concat, equalBytes, u32be, u64be, utf8 } from '#hal/core/bytes';
import { malformed, parse } from '#hal/core/reader';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type EnvelopeHeader, openEnvelope } from '#hal/crypto/envelope';
import { type HybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import type { ReleaseFacts } from './ledger.ts';

export interface ReleaseStatement {
  readonly release: ReleaseFacts;
  /** Of the hash tree: 32 bytes. */
  readonly salt: Uint8Array;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
}

export interface StatementContent extends Omit<ReleaseStatement, 'release'> {
  readonly release: Omit<ReleaseFacts, 'digest'>;
  readonly hardware: string;
}

export interface ReleasePolicy {
  readonly crypto: CryptoBackend;
  /** Custodians of releases: distinct from those of every other class (SR-03). */
  readonly keys: readonly HybridPublicKey[];
  readonly threshold: number;
  /** This device's hardware class. */
  readonly hardware: string;
}

export const releaseAudience = 'enigm-device';
export const releaseType = 'release';

/** What its signatures cover beside it (SR-03). */
export const statementHeader: EnvelopeHeader = {
  suite: hybridSignatureSuites['enigm-ed25519-mldsa65'],
  audience: releaseAudience,
  payloadType: releaseType,
};

const magic = utf8('enigmrl1');
const maxFloorEpoch = 64;

export const encodeStatement = (
  crypto: CryptoBackend,
  { release: { counter, floorEpoch, imageBytes, verityRoot }, salt, uuid, hardware }: StatementContent,
): Uint8Array =>
  concat(
    ...[magic, u64be(counter), u32be(floorEpoch), u64be(imageBytes)],
    ...[verityRoot, salt, uuid, crypto.hash('sha256', utf8(hardware))],
  );

/**
 * @param envelope an encoded `Envelope`
 * @returns the statement; a fault of `openEnvelope`, `protocol/malformed`, `policy/hardware-mismatch`
 */
export const openStatement = (
  { crypto, keys, threshold, hardware }: ReleasePolicy,
  envelope: Uint8Array,
): Result<ReleaseStatement> => {
  const opened = openEnvelope(crypto, envelope, { ...statementHeader, keys, threshold });
  return opened.ok ? readStatement(crypto, opened.value.payload, hardware) : opened;
};

/** @returns what a payload of 140 bytes says, whoever signed it; or `protocol/malformed`, `policy/hardware-mismatch` */
export const readStatement = (crypto: CryptoBackend, payload: Uint8Array, hardware: string): Result<ReleaseStatement> => {
  const read = parse(
    payload,
    (reader) => {
      if (!equalBytes(reader.take(magic.length), magic)) malformed('not a release statement');
      const counter = Number(reader.u64be());
      const floorEpoch = reader.u32be();
      const imageBytes = Number(reader.u64be());
      if (!Number.isSafeInteger(counter) || counter < 1 || !Number.isSafeInteger(imageBytes) || floorEpoch > maxFloorEpoch)
        malformed('a number is out of range');
      const take = (length: number) => new Uint8Array(reader.take(length));
      return {
        release: { counter, floorEpoch, imageBytes, verityRoot: take(32) },
        salt: take(32),
        uuid: take(16),
        hardwareDigest: take(32),
      };
    },
    (why) => deny('protocol', 'malformed', `release statement: ${why}`),
  );
  if (!read.ok) return read;
  const { release, salt, uuid, hardwareDigest } = read.value;
  if (!equalBytes(hardwareDigest, crypto.hash('sha256', utf8(hardware)))) return deny('policy', 'hardware-mismatch');
  return ok({ release: { ...release, digest: crypto.hash('sha256', payload) }, salt, uuid });
};
