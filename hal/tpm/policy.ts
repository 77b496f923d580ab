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
const commandCode = {
  nvSetBits: 0x135,
  policyNv: 0x149,
  policyAuthorize: 0x16a,
  policyCpHash: 0x16e,
  policyPcr: 0x17f,
} as const;
/** TPM_EO, Part 2 §6.8. */
export const comparison = { bitClear: 0x000b } as const;
const nothing = new Uint8Array(32);

/** TPML_PCR_SELECTION of registers in the SHA-256 bank. */
export const registersSelection = (registers: readonly number[]): Uint8Array =>
  encodeSelections([{ hash: alg.sha256, pcrs: registers }]);

/** PolicyPCR alone (§23.7). @param values by register, ascending; 32 bytes each */
export const registersPolicy = (values: ReadonlyMap<number, Uint8Array>): Uint8Array =>
  sha256(nothing, u32be(commandCode.policyPcr), registersSelection([...values.keys()]), pcrDigestOf([...values.values()]));

/**
 * PolicyNV after another policy (§23.9): that the whole of an index compares so with the operand, when it is asked.
 * @param name of the index, with its algorithm
 */
export const nvPolicy = (before: Uint8Array, name: Uint8Array, operand: Uint8Array, operation: number): Uint8Array =>
  sha256(before, u32be(commandCode.policyNv), sha256(operand, u16be(0), u16be(operation)), name);

/** cpHash of TPM2_NV_SetBits by the index's own authority (Part 1 §16.7, Part 3 §31.10). @param name of the index as it is then. @param bits 8 bytes */
export const setBitsHash = (name: Uint8Array, bits: Uint8Array): Uint8Array =>
  sha256(u32be(commandCode.nvSetBits), name, name, bits);

/** PolicyCpHash alone (§23.13): this very command. */
export const commandPolicy = (cpHash: Uint8Array): Uint8Array => sha256(nothing, u32be(commandCode.policyCpHash), cpHash);

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
