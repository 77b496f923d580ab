/** The TPM as the device uses it: prove an identity, sign a state, count. Structures are in TPM wire form (TCG Part 2). */
import type { Result } from '#hal/core/result';

export interface Tpm {
  /** Who this TPM is; read once, it does not change between boots. */
  identity(): Promise<Result<TpmIdentity>>;
  /** TPM2_ActivateCredential (Part 3 §12.5): the secret that only the TPM with this EK and this AK can open. */
  activate(challenge: CredentialChallenge): Promise<Result<Uint8Array>>;
  /**
   * TPM2_Quote (Part 3 §18.4) by the attestation key over the SHA-256 bank.
   * @param qualifyingData 32 bytes
   * @param pcrs ascending PCR indices, 0 to 23; any other list is refused with `protocol/field-invalid`
   */
  quote(qualifyingData: Uint8Array, pcrs: readonly number[]): Promise<Result<Quote>>;
  /** The audit counter of this device (an NV counter: only ever goes up). */
  readCounter(): Promise<Result<Counter>>;
  /** @returns the counter after one increment; costs flash wear, so callers ration it (SR-14) */
  advanceCounter(): Promise<Result<Counter>>;
}

export interface Counter {
  readonly value: number;
  /** The value at provisioning, sealed beside the device secret: it cannot be moved without it. */
  readonly base: number;
}

export interface TpmIdentity {
  /** X.509 DER of the endorsement key; absent where the maker wrote none. */
  readonly endorsementCertificate?: Uint8Array;
  /** TPMT_PUBLIC of the endorsement key. */
  readonly endorsementPublic: Uint8Array;
  /** TPMT_PUBLIC of the attestation key. */
  readonly attestationPublic: Uint8Array;
}

export interface CredentialChallenge {
  /** TPM2B_ID_OBJECT. */
  readonly credentialBlob: Uint8Array;
  /** TPM2B_ENCRYPTED_SECRET. */
  readonly encryptedSecret: Uint8Array;
}

export interface Quote {
  /** TPMS_ATTEST, exactly the bytes that were signed. */
  readonly attest: Uint8Array;
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array;
  /** SHA-256 bank values of the selected registers, ascending; 32 bytes each. */
  readonly pcrValues: readonly Uint8Array[];
}
