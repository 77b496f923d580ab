/**
 * The policy key of the simulator's class of machines (SR-07): it approves what a boot image leaves in the registers, and
 * signs nothing else. TPMs verify no post-quantum signature, so it is P-256 alone.
 *
 * Signatures are deterministic (RFC 6979), so that two builds are the same bytes.
 */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { approvalReference, type BootApproval, writeApproval } from '#hal/core/boot-approval';
import type { FloorApprovals } from '#hal/core/floor-approval';
import { nobleCrypto } from '#hal/crypto/noble';
import { floorHoldsPolicy, floorReference, floorWritePolicy } from '#hal/tpm/floor';
import { approvalMessage, registersPolicy } from '#hal/tpm/policy';
import type { Approver } from './uki.ts';

/** @param folder of the other keys, where it lies in clear. @returns its scalar, 32 bytes; made once */
export const policyKeyIn = (folder: string): Uint8Array => {
  const file = join(folder, 'policy.key');
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  }
  const { d = '' } = createPrivateKey(readFileSync(file, 'utf8')).export({ format: 'jwk' });
  return new Uint8Array(Buffer.from(d, 'base64url'));
};

/** @param floorEpoch of the release: at a higher floor the boot opens nothing */
export const approveBoot = (scalar: Uint8Array, registers: ReadonlyMap<number, Uint8Array>, floorEpoch: number): BootApproval => {
  const key = nobleCrypto.p256.publicKey(scalar);
  const policy = floorHoldsPolicy(registersPolicy(registers), key, floorEpoch);
  return { key, floorEpoch, policy, signature: signed(scalar, approvalMessage(policy, approvalReference)) };
};

const signed = (scalar: Uint8Array, message: Uint8Array): Uint8Array => {
  const signature = nobleCrypto.p256.sign(scalar, message);
  if (signature === undefined) throw new Error('the policy key does not sign');
  return signature;
};

/** What a release brings that stands on this epoch: the first write of the index, and every epoch up to its own (SR-08). */
export const approveFloor = (scalar: Uint8Array, floorEpoch: number): FloorApprovals => {
  const key = nobleCrypto.p256.publicKey(scalar);
  const signatures = Array.from({ length: floorEpoch + 1 }, (_, epoch) =>
    signed(scalar, approvalMessage(floorWritePolicy(key, epoch), floorReference)),
  );
  return { key, signatures };
};

/** @param registersOf what a machine has after a stub that measured this */
export const bootApprover = (
  scalar: Uint8Array,
  registersOf: (measured: readonly Uint8Array[]) => ReadonlyMap<number, Uint8Array>,
  floorEpoch: number,
): Approver => {
  const approvalOf = (measured: readonly Uint8Array[]) => writeApproval(approveBoot(scalar, registersOf(measured), floorEpoch));
  return { key: approvalOf([]).key, approve: (measured) => approvalOf(measured).signature };
};
