/** What a policy key approved, shown to the TPM (TPM 2.0 Part 3 §23.16, TPM2_PolicyAuthorize). */
import { createHash } from 'node:crypto';
import { approvalMessage, ecdsaSignature, policyKeyArea, policyKeyName } from '#hal/tpm/policy';
import { encodePublic, tpm2b } from '#hal/tpm/public';
import { type EsysHandle, handles } from './commands.ts';
import type { Esys } from './esys.ts';

export interface ApprovedPolicy {
  /** P-256 point 04‖x‖y, 65 bytes. */
  readonly key: Uint8Array;
  /** SHA-256, 32 bytes. */
  readonly policy: Uint8Array;
  /** ECDSA with SHA-256, r‖s, 64 bytes. */
  readonly signature: Uint8Array;
}

/**
 * Puts the approved policy of a session into the approving key's name. Needs room for one transient object.
 * @param reference the policyRef: for what the key approved it
 */
export const authorizePolicy = async (
  esys: Esys,
  session: EsysHandle,
  { key, policy, signature }: ApprovedPolicy,
  reference: Uint8Array,
): Promise<void> => {
  // Under the owner: under no hierarchy it would give no ticket.
  const policyKey = await esys.loadExternal([], null, tpm2b(encodePublic(policyKeyArea(key))), handles.owner);
  try {
    const digest = createHash('sha256').update(approvalMessage(policy, reference)).digest();
    const ticket = await esys.verifySignature(policyKey, [], tpm2b(digest), ecdsaSignature(signature));
    await esys.policyAuthorize(session, [], tpm2b(policy), tpm2b(reference), tpm2b(policyKeyName(key)), ticket);
  } finally {
    await esys.flushContext(policyKey);
  }
};
