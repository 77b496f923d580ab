/** The keys that every device of ours has, as templates for TPM2_CreatePrimary and TPM2_Create. */
import { alg, objectAttribute as attribute, curve } from '#hal/tpm/constants';
import { encodePublic, type PublicArea } from '#hal/tpm/public';

const empty = new Uint8Array();
const zero32 = new Uint8Array(32);

/** PolicySecret(endorsement hierarchy), TCG EK Credential Profile 2.5 §B.3.3. */
export const endorsementPolicy = new Uint8Array(
  Buffer.from('837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa', 'hex'),
);

/** TCG EK Credential Profile 2.5 §B.3.4, template L-2: ECC P-256, so the TPM makes the key its certificate names. */
export const endorsementTemplate: PublicArea = {
  nameAlg: alg.sha256,
  attributes:
    attribute.fixedTpm |
    attribute.fixedParent |
    attribute.sensitiveDataOrigin |
    attribute.adminWithPolicy |
    attribute.restricted |
    attribute.decrypt,
  authPolicy: endorsementPolicy,
  key: { type: 'ecc', symmetric: { bits: 128 }, scheme: undefined, curve: curve.p256, x: zero32, y: zero32 },
};

/** What an attestation key must be and what it must not be (SR-05 and attack table 7). */
export const attestationAttributes =
  attribute.fixedTpm |
  attribute.fixedParent |
  attribute.sensitiveDataOrigin |
  attribute.userWithAuth |
  attribute.noDa |
  attribute.restricted |
  attribute.sign;

/** ECC P-256, restricted signing key in the endorsement hierarchy (SR-05). */
export const attestationTemplate: PublicArea = {
  nameAlg: alg.sha256,
  attributes: attestationAttributes,
  authPolicy: empty,
  key: {
    type: 'ecc',
    symmetric: undefined,
    scheme: { algorithm: alg.ecdsa, hash: alg.sha256 },
    curve: curve.p256,
    x: empty,
    y: empty,
  },
};

/** Storage root key: TCG TPM v2.0 Provisioning Guidance §7.5.1, ECC P-256. */
export const storageTemplate: PublicArea = {
  nameAlg: alg.sha256,
  attributes:
    attribute.fixedTpm |
    attribute.fixedParent |
    attribute.sensitiveDataOrigin |
    attribute.userWithAuth |
    attribute.noDa |
    attribute.restricted |
    attribute.decrypt,
  authPolicy: empty,
  key: { type: 'ecc', symmetric: { bits: 128 }, scheme: undefined, curve: curve.p256, x: zero32, y: zero32 },
};

/** The key of the TLS link: ECC P-256, unrestricted, under the storage root (SR-02). */
export const linkTemplate: PublicArea = {
  nameAlg: alg.sha256,
  attributes:
    attribute.fixedTpm |
    attribute.fixedParent |
    attribute.sensitiveDataOrigin |
    attribute.userWithAuth |
    attribute.noDa |
    attribute.sign,
  authPolicy: empty,
  key: { type: 'ecc', symmetric: undefined, scheme: undefined, curve: curve.p256, x: empty, y: empty },
};

/** A small secret at rest under the storage root; its own policy or, without one, an empty authorization. */
export const sealedTemplate = (authPolicy: Uint8Array): PublicArea => ({
  nameAlg: alg.sha256,
  attributes:
    attribute.fixedTpm | attribute.fixedParent | attribute.noDa | (authPolicy.length === 0 ? attribute.userWithAuth : 0),
  authPolicy,
  key: { type: 'keyedHash', unique: empty },
});

/**
 * A small secret under the storage root that opens with an authorization value, and whose wrong ones the TPM counts (Part 1
 * §19.8): without noDA.
 */
export const guardedTemplate: PublicArea = {
  nameAlg: alg.sha256,
  attributes: attribute.fixedTpm | attribute.fixedParent | attribute.userWithAuth,
  authPolicy: empty,
  key: { type: 'keyedHash', unique: empty },
};

export const encodedTemplate = {
  endorsement: encodePublic(endorsementTemplate),
  attestation: encodePublic(attestationTemplate),
  storage: encodePublic(storageTemplate),
} as const;
