/** For tests: approvals of a floor by a policy key that everybody knows. */
import type { FloorApprovals } from '#hal/core/floor-approval';
import { nobleCrypto } from '#hal/crypto/noble';
import { floorReference, floorWritePolicy } from '#hal/tpm/floor';
import { approvalMessage } from '#hal/tpm/policy';

export const testScalar = new Uint8Array(32).fill(7);

/** What the key approves up to this epoch. @param signer who signs in its name */
export const floorApprovals = (epoch: number, scalar = testScalar, signer = scalar): FloorApprovals => {
  const key = nobleCrypto.p256.publicKey(scalar);
  const signatures = Array.from({ length: epoch + 1 }, (_, at) => {
    const signature = nobleCrypto.p256.sign(signer, approvalMessage(floorWritePolicy(key, at), floorReference));
    if (signature === undefined) throw new Error('the policy key does not sign');
    return signature;
  });
  return { key, signatures };
};
