/**
 * The floor of a device as an index of bits in its TPM (SR-08): floor epoch N is the N low bits, which can be set and never
 * be taken back (TPM 2.0 Part 2 §13.2, TPM_NT_BITS; Part 3 §31.10). The index is the same in a whole fleet, so whoever has
 * the policy key computes here, for all of them, what he approves.
 *
 * Why bits: PolicyNV looks at an index when it is called, so a session that was opened before a raise would write a lower
 * number after it. A lower mask of bits changes nothing.
 */
import { utf8 } from '#hal/core/bytes';
import { nvAttribute as attribute } from '#hal/tpm/constants';
import { authorizedPolicy, commandPolicy, comparison, nvPolicy, policyKeyName, setBitsHash } from '#hal/tpm/policy';
import { nameOf } from '#hal/tpm/public';
import { nvArea } from '#hal/tpm/wire';

export const maxFloorEpoch = 64;
/** Owner range, beside the audit counter. */
export const floorIndex = 0x01800101;
export const floorBytes = 8;
/** The policyRef of approvals to raise the floor: none of another kind counts. */
export const floorReference = utf8('enigm-floor-1');

/** Written by policy alone, read by anybody, out of reach of the dictionary attack's lock. */
const attributes = attribute.bits | attribute.policyWrite | attribute.authRead | attribute.noDa;

/** @param key of the policy: 04‖x‖y of P-256, 65 bytes. @returns TPMS_NV_PUBLIC */
export const floorArea = (key: Uint8Array, isWritten: boolean): Uint8Array =>
  nvArea(
    floorIndex,
    attributes | (isWritten ? attribute.written : 0),
    authorizedPolicy(policyKeyName(key), floorReference),
    floorBytes,
  );

/** The first write changes it (Part 1 §37.2.2), so that write has an approval of its own. */
export const floorName = (key: Uint8Array, isWritten: boolean): Uint8Array => nameOf(floorArea(key, isWritten));

/** @param epoch 0 to 64 */
export const floorMask = (epoch: number): bigint => (1n << BigInt(epoch)) - 1n;

/** @returns the epoch; undefined for bits that are no floor: not the low ones alone */
export const epochOfMask = (mask: bigint): number | undefined => {
  const epoch = mask.toString(2).replaceAll('0', '').length;
  return floorMask(epoch) === mask ? epoch : undefined;
};

/** cpHash of the write that leads to an epoch; to 0 it is the first write, which sets no bit. */
export const floorWriteHash = (key: Uint8Array, epoch: number): Uint8Array =>
  setBitsHash(floorName(key, epoch > 0), bytesOf(floorMask(epoch)));

/** What the policy key approves by signing it. */
export const floorWritePolicy = (key: Uint8Array, epoch: number): Uint8Array => commandPolicy(floorWriteHash(key, epoch));

/** Bits above an epoch, 8 bytes: none of them may be set where a release of that epoch opens something. */
export const bitsAbove = (epoch: number): Uint8Array => bytesOf(floorMask(maxFloorEpoch) ^ floorMask(epoch));

/** After another policy: the floor is at most this epoch. An index that was never written compares with nothing. */
export const floorHoldsPolicy = (before: Uint8Array, key: Uint8Array, epoch: number): Uint8Array =>
  nvPolicy(before, floorName(key, true), bitsAbove(epoch), comparison.bitClear);

const bytesOf = (mask: bigint): Uint8Array => {
  const bytes = new Uint8Array(floorBytes);
  new DataView(bytes.buffer).setBigUint64(0, mask);
  return bytes;
};
