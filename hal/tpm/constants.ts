/** Numbers of TPM 2.0 Part 2 that we use; names as in the standard, without the prefix. */

/** TPM_ALG_ID, Part 2 §6.3. */
export const alg = {
  rsa: 0x0001,
  sha1: 0x0004,
  aes: 0x0006,
  keyedHash: 0x0008,
  sha256: 0x000b,
  sha384: 0x000c,
  sha512: 0x000d,
  null: 0x0010,
  rsassa: 0x0014,
  rsapss: 0x0016,
  ecdsa: 0x0018,
  ecc: 0x0023,
  cfb: 0x0043,
} as const;

/** TPMI_ECC_CURVE, Part 2 §6.4. */
export const curve = { p256: 0x0003, p384: 0x0004 } as const;

/** TPMA_OBJECT, Part 2 §8.3. */
export const objectAttribute = {
  fixedTpm: 1 << 1,
  stClear: 1 << 2,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  userWithAuth: 1 << 6,
  adminWithPolicy: 1 << 7,
  noDa: 1 << 10,
  restricted: 1 << 16,
  decrypt: 1 << 17,
  sign: 1 << 18,
} as const;

/** TPMA_NV, Part 2 §13.4; the type is in bits 4 to 7. */
export const nvAttribute = {
  ownerWrite: 1 << 1,
  authWrite: 1 << 2,
  policyWrite: 1 << 3,
  counter: 0x1 << 4,
  bits: 0x2 << 4,
  ownerRead: 1 << 17,
  authRead: 1 << 18,
  noDa: 1 << 25,
  written: 1 << 29,
} as const;

/** TPM_GENERATED_VALUE, Part 2 §6.2: what a restricted key will not sign unless the TPM made it. */
export const generatedValue = 0xff544347;

/** TPM_ST, Part 2 §6.9. */
export const structureTag = {
  nullSession: 0x8001,
  attestNv: 0x8014,
  attestCertify: 0x8017,
  attestQuote: 0x8018,
  attestTime: 0x8019,
} as const;

/** TPM_RC, Part 2 §6.6, and the layers of tpm2-tss. */
export const responseCode = { initialize: 0x100 } as const;

/** TPM_PT, Part 2 §6.13. */
export const property = { manufacturer: 0x105, vendorString1: 0x106, firmwareVersion1: 0x10b, firmwareVersion2: 0x10c } as const;

/** Digest sizes in bytes by TPM_ALG_ID. */
export const digestBytes: Readonly<Record<number, number>> = {
  [alg.sha1]: 20,
  [alg.sha256]: 32,
  [alg.sha384]: 48,
  [alg.sha512]: 64,
};
