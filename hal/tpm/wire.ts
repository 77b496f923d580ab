/** Small structures of TPM 2.0 Part 2 in wire form, as the commands want them. */
import { concat, fixedCopy, u16be, u32be } from '#hal/core/bytes';
import { alg } from '#hal/tpm/constants';
import { tpm2b } from '#hal/tpm/public';

export const empty2b = tpm2b(new Uint8Array());

/** What a TPM2B holds. */
export const contentOf = (sized: Uint8Array): Uint8Array => fixedCopy(sized.subarray(2));

/** TPM2B_SENSITIVE_CREATE, §11.1.15: in one piece, so that whoever wipes it leaves no part of it behind. */
export const sensitiveCreate = (auth: Uint8Array, data: Uint8Array): Uint8Array =>
  concat(u16be(auth.length + data.length + 4), u16be(auth.length), auth, u16be(data.length), data);

/** TPMS_NV_PUBLIC, §13.5: name algorithm SHA-256. */
export const nvArea = (index: number, attributes: number, policy: Uint8Array, sizeBytes: number): Uint8Array =>
  concat(u32be(index), u16be(alg.sha256), u32be(attributes), tpm2b(policy), u16be(sizeBytes));

/** TPM2B_NV_PUBLIC, §13.6: no policy. */
export const nvPublic = (index: number, attributes: number, sizeBytes: number): Uint8Array =>
  tpm2b(nvArea(index, attributes, new Uint8Array(), sizeBytes));

/** TPMT_SIG_SCHEME that leaves the choice to the key. */
export const keyScheme = u16be(alg.null);

/** TPMT_SYM_DEF for parameter encryption, AES-128-CFB, and the one that is none. */
export const aes128Cfb = concat(u16be(alg.aes), u16be(128), u16be(alg.cfb));
export const noSymmetric = u16be(alg.null);

/** TPML_PCR_SELECTION of nothing. */
export const noPcrs = u32be(0);

/** TPML_DIGEST_VALUES, §10.9.6. */
export const digestValues = (digests: readonly { readonly algorithm: number; readonly digest: Uint8Array }[]): Uint8Array =>
  concat(u32be(digests.length), ...digests.flatMap(({ algorithm, digest }) => [u16be(algorithm), digest]));

/** TPMA_SESSION, §8.4. */
export const sessionAttribute = { continueSession: 0x01, decrypt: 0x20, encrypt: 0x40 } as const;
