/**
 * Authorization policies as the TPM computes them (TPM 2.0 Part 3 §23), so that what a build approves is known before any
 * machine starts it. Digests are SHA-256, 32 bytes.
 */
import { createHash } from 'node:crypto';
import { concat, u16be, u32be } from '#hal/core/bytes';
import { encodeSelections, pcrDigestOf } from '#hal/tpm/attest';
import { alg, objectAttribute as attribute, curve } from '#hal/tpm/constants';
import { encodePublic, nameOf, type PublicArea } from '#hal/tpm/public';

/** TPM_CC, Part 2 §6.5.2. */
const commandCode = { policyAuthorize: 0x16a, policyPcr: 0x17f } as const;
const nothing = new Uint8Array(32);

/** TPML_PCR_SELECTION of registers in the SHA-256 bank. */
export const registersSelection = (registers: readonly number[]): Uint8Array =>
  encodeSelections([{ hash: alg.sha256, pcrs: registers }]);

/** PolicyPCR alone (§23.7). @param values by register, ascending; 32 bytes each */
export const registersPolicy = (values: ReadonlyMap<number, Uint8Array>): Uint8Array =>
  sha256(nothing, u32be(commandCode.policyPcr), registersSelection([...values.keys()]), pcrDigestOf([...values.values()]));

/** PolicyAuthorize alone (§23.16): whatever the key approves. @param keyName name of the key, with its algorithm */
export const authorizedPolicy = (keyName: Uint8Array, policyRef: Uint8Array): Uint8Array =>
  sha256(sha256(nothing, u32be(commandCode.policyAuthorize), keyName), policyRef);

/** What the key signs to approve a policy: this, hashed (Part 3 §23.16, aHash). */
export const approvalMessage = (approvedPolicy: Uint8Array, policyRef: Uint8Array): Uint8Array =>
  concat(approvedPolicy, policyRef);

/** A P-256 key that approves policies, as TPM2_LoadExternal takes it. @param point 04‖x‖y, 65 bytes */
export const policyKeyArea = (point: Uint8Array): PublicArea => ({
  nameAlg: alg.sha256,
  attributes: attribute.userWithAuth | attribute.sign,
  authPolicy: new Uint8Array(),
  key: {
    type: 'ecc',
    symmetric: undefined,
    scheme: undefined,
    curve: curve.p256,
    x: point.slice(1, 33),
    y: point.slice(33, 65),
  },
});

export const policyKeyName = (point: Uint8Array): Uint8Array => nameOf(encodePublic(policyKeyArea(point)));

/** TPMT_SIGNATURE by ECDSA with SHA-256 (Part 2 §11.3.4). @param signature r‖s, 64 bytes */
export const ecdsaSignature = (signature: Uint8Array): Uint8Array =>
  concat(u16be(alg.ecdsa), u16be(alg.sha256), u16be(32), signature.subarray(0, 32), u16be(32), signature.subarray(32));

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(
    createHash('sha256')
      .update(concat(...parts))
      .digest(),
  );
