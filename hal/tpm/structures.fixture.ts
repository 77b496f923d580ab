/** For tests: what a TPM signs, written field by field and unchecked, so that a test can write what no TPM would. */
import fc from 'fast-check';
import { concat, u16be, u32be } from '#hal/core/bytes';
import { encodeSelections, type PcrSelection } from './attest.ts';
import { alg, curve, generatedValue, structureTag } from './constants.ts';
import { type PublicArea, tpm2b } from './public.ts';

export interface AttestFields {
  readonly magic: number;
  readonly type: number;
  readonly qualifiedSigner: Uint8Array;
  readonly extraData: Uint8Array;
  readonly clockMs: bigint;
  readonly resetCount: number;
  readonly restartCount: number;
  readonly safe: number;
  readonly firmwareVersion: bigint;
  /** TPML_PCR_SELECTION. */
  readonly selections: Uint8Array;
  readonly pcrDigest: Uint8Array;
}

/** TPMS_ATTEST (TPM 2.0 Part 2 §10.12.8); a quote where nothing else is said. */
export const encodeAttest = (fields: Partial<AttestFields>): Uint8Array =>
  concat(
    u32be(fields.magic ?? generatedValue),
    u16be(fields.type ?? structureTag.attestQuote),
    tpm2b(fields.qualifiedSigner ?? new Uint8Array(34)),
    tpm2b(fields.extraData ?? new Uint8Array()),
    u64(fields.clockMs ?? 5_000n),
    u32be(fields.resetCount ?? 3),
    u32be(fields.restartCount ?? 0),
    Uint8Array.of(fields.safe ?? 1),
    u64(fields.firmwareVersion ?? 0x2019_1023n),
    fields.selections ?? encodeSelections([{ hash: alg.sha256, pcrs: [0] }]),
    tpm2b(fields.pcrDigest ?? new Uint8Array(32)),
  );

const u64 = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
};

/** TPMT_SIGNATURE (§11.3.4) by ECDSA. @param rs r‖s */
export const encodeEcdsaSignature = (rs: Uint8Array, hash: number = alg.sha256): Uint8Array =>
  concat(u16be(alg.ecdsa), u16be(hash), tpm2b(rs.subarray(0, rs.length / 2)), tpm2b(rs.subarray(rs.length / 2)));

export const encodeRsaSignature = (block: Uint8Array, hash: number = alg.sha256): Uint8Array =>
  concat(u16be(alg.rsassa), u16be(hash), tpm2b(block));

const bytesTo = (maxLength: number) => fc.uint8Array({ maxLength });
const u32 = fc.nat(0xffffffff);
const hash = fc.constantFrom(alg.sha1, alg.sha256, alg.sha384, alg.sha512);
const digest = fc.constantFrom(20, 32, 48, 64).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));

const symmetric = fc.option(fc.record({ bits: fc.constantFrom(128, 256) }), { nil: undefined });
const scheme = (...algorithms: readonly number[]) =>
  fc.option(fc.record({ algorithm: fc.constantFrom(...algorithms), hash }), { nil: undefined });

/** Every public area that we read. */
export const anyPublicArea: fc.Arbitrary<PublicArea> = fc.record({
  nameAlg: hash,
  attributes: u32,
  authPolicy: fc.oneof(fc.constant(new Uint8Array()), digest),
  key: fc.oneof(
    fc.record({
      type: fc.constant('ecc' as const),
      symmetric,
      scheme: scheme(alg.ecdsa),
      curve: fc.constantFrom(curve.p256, curve.p384),
      x: bytesTo(66),
      y: bytesTo(66),
    }),
    fc.record({
      type: fc.constant('rsa' as const),
      symmetric,
      scheme: scheme(alg.rsassa, alg.rsapss),
      bits: fc.constantFrom(1024, 2048, 3072, 4096),
      exponent: u32,
      modulus: bytesTo(512),
    }),
    fc.record({ type: fc.constant('keyedHash' as const), unique: bytesTo(64) }),
  ),
});

export const anySelections: fc.Arbitrary<readonly PcrSelection[]> = fc.array(
  fc.record({ hash, pcrs: fc.uniqueArray(fc.nat(23)).map((pcrs) => pcrs.sort((a, b) => a - b)) }),
  { maxLength: 16 },
);

/** Every quote that a TPM could sign, with its selections as values. */
export const anyQuote = fc.record({
  qualifiedSigner: bytesTo(66),
  extraData: bytesTo(64),
  clockMs: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  resetCount: u32,
  restartCount: u32,
  safe: fc.constantFrom(0, 1),
  firmwareVersion: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  pcrSelections: anySelections,
  pcrDigest: digest,
});

export const encodeQuote = ({
  pcrSelections,
  ...fields
}: typeof anyQuote extends fc.Arbitrary<infer T> ? T : never): Uint8Array =>
  encodeAttest({ ...fields, selections: encodeSelections(pcrSelections) });

/** Any signature: by ECDSA on P-256, or a block of RSASSA. */
export const anySignature: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.tuple(bytesTo(32), bytesTo(32), hash).map(([r, s, by]) => concat(u16be(alg.ecdsa), u16be(by), tpm2b(r), tpm2b(s))),
  fc.tuple(bytesTo(512), hash).map(([block, by]) => encodeRsaSignature(block, by)),
);

/** `bytes` with some of them changed, cut or repeated: what is nearly a structure. */
export const damaged = (structure: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(structure, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.integer({ min: -4, max: 4 }))
    .map(([bytes, changes, grownBytes]) => {
      const changed = concat(bytes, new Uint8Array(4)).slice(0, Math.max(0, bytes.length + grownBytes));
      for (const [at, value] of changes) if (changed.length > 0) changed[at % changed.length] = value;
      return changed;
    });
