/** Names of the TPM structures that the addon reads and writes, for the types of its commands and for the codec oracle. */

/** One structure in TPM wire form (Part 2), exactly: no byte more, and inner sizes that agree. */
export type Wire<_Name extends StructureName> = Uint8Array;

export type StructureName = (typeof structureNames)[number];

/** Those of the commands, then those that only the oracle knows (they lie inside others). */
export const structureNames = [
  ...(['TPM2B_ATTEST', 'TPM2B_AUTH', 'TPM2B_CREATION_DATA', 'TPM2B_DATA', 'TPM2B_DIGEST', 'TPM2B_ENCRYPTED_SECRET'] as const),
  ...(['TPM2B_EVENT', 'TPM2B_ID_OBJECT', 'TPM2B_MAX_NV_BUFFER', 'TPM2B_NAME', 'TPM2B_NONCE', 'TPM2B_NV_PUBLIC'] as const),
  ...(['TPM2B_OPERAND', 'TPM2B_PRIVATE', 'TPM2B_PUBLIC', 'TPM2B_SENSITIVE', 'TPM2B_SENSITIVE_CREATE'] as const),
  ...(['TPM2B_SENSITIVE_DATA', 'TPM2B_TIMEOUT', 'TPML_DIGEST', 'TPML_DIGEST_VALUES', 'TPML_PCR_SELECTION'] as const),
  ...(['TPMS_CAPABILITY_DATA', 'TPMS_TIME_INFO', 'TPMT_SIGNATURE', 'TPMT_SIG_SCHEME', 'TPMT_SYM_DEF'] as const),
  ...(['TPMT_TK_AUTH', 'TPMT_TK_CREATION', 'TPMT_TK_HASHCHECK', 'TPMT_TK_VERIFIED'] as const),
  ...(['TPM2B_ECC_PARAMETER', 'TPM2B_ECC_POINT', 'TPM2B_IV', 'TPM2B_MAX_BUFFER', 'TPM2B_PUBLIC_KEY_RSA'] as const),
  ...(['TPM2B_SYM_KEY', 'TPML_ALG', 'TPML_CC', 'TPML_CCA', 'TPML_ECC_CURVE', 'TPML_HANDLE'] as const),
  ...(['TPML_TAGGED_TPM_PROPERTY', 'TPMS_ATTEST', 'TPMS_CLOCK_INFO', 'TPMS_CREATION_DATA', 'TPMS_ECC_POINT'] as const),
  ...(['TPMS_ID_OBJECT', 'TPMS_NV_PUBLIC', 'TPMS_PCR_SELECTION', 'TPMS_SENSITIVE_CREATE', 'TPMT_ECC_SCHEME'] as const),
  ...(['TPMT_HA', 'TPMT_KDF_SCHEME', 'TPMT_PUBLIC', 'TPMT_RSA_SCHEME', 'TPMT_SENSITIVE', 'TPMT_SYM_DEF_OBJECT'] as const),
] as const;
