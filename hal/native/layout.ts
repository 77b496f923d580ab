import { floorIndex } from '#hal/tpm/floor';

/** Where our keys and indices lie in every TPM of ours. Owner range of TCG's "Registry of Reserved TPM 2.0 Handles" §2. */
export const persistent = {
  storageRoot: 0x81000001,
  attestationKey: 0x81010020,
} as const;

export const nvIndex = {
  /** ECC P-256 endorsement certificate: TCG EK Credential Profile 2.5 §2.2.1.4, low range. */
  endorsementCertificate: 0x01c0000a,
  /** The audit counter. */
  auditCounter: 0x01800100,
  /** The floor of releases. */
  floor: floorIndex,
} as const;

/** TPM_RC of a command on a handle or index that is not there (Part 2 §6.6.3: handle errors, and NV not defined). */
export const isAbsent = (rc: number): boolean => (rc & 0xbf) === 0x8b || (rc & 0xfff) === 0x14a;
