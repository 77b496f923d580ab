/**
 * What the maker of a boot image approves of it: the registers that a machine has after it started exactly this image.
 * It comes with the image, in two sections that systemd's stub hands to the first root (UAPI "Unified Kernel Image",
 * `.pcrpkey` and `.pcrsig`); form of the second: systemd-measure(1).
 *
 * Ours differ in three ways (SR-07, SR-08): four registers instead of one; the floor on which the release stands; and a
 * reference of our own in what is signed, so no signature over another policy by the same key counts here.
 */
import { createPublicKey } from 'node:crypto';
import { concat, fromHex, toBase64, toHex, utf8 } from './bytes.ts';
import { base64, decodeJson, integer, list, object, text } from './config.ts';
import { attempt, deny, ok, type Result } from './result.ts';

export interface BootApproval {
  /** P-256 point 04‖x‖y, 65 bytes: the policy key of this class of machines. */
  readonly key: Uint8Array;
  /** The highest floor of a device at which this boot may still open what was sealed: 0 to 64 (SR-08). */
  readonly floorEpoch: number;
  /** SHA-256, 32 bytes. */
  readonly policy: Uint8Array;
  /** ECDSA with SHA-256, r‖s, 64 bytes. */
  readonly signature: Uint8Array;
}

/** 7: who may start images. 11: what was started. 12 and 13: nothing beside it, since that is not signed. */
export const approvedRegisters = [7, 11, 12, 13] as const;
/** The policyRef of SR-07. An approval under the first one asked for no floor, so none of those opens what is sealed now. */
export const approvalReference = utf8('enigm-boot-2');
/** Goes into register 11 once the data partition is open, or stays closed: later programs have other registers. */
export const openedPhase = 'leave-initrd';
export const phaseRegister = 11;

export interface ApprovalFiles {
  /** SubjectPublicKeyInfo, PEM. */
  readonly key: string;
  /** JSON. */
  readonly signature: string;
}

/** SubjectPublicKeyInfo of an uncompressed P-256 point (RFC 5480 §2), without the point. */
const keyHead = new Uint8Array(Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'));
const pointBytes = 65;

export const writeApproval = ({ key, floorEpoch, policy, signature }: BootApproval): ApprovalFiles => ({
  key: `-----BEGIN PUBLIC KEY-----\n${toBase64(concat(keyHead, key)).replace(/.{64}/g, '$&\n')}\n-----END PUBLIC KEY-----\n`,
  signature: `${JSON.stringify({ sha256: [{ pcrs: approvedRegisters, floor: floorEpoch, pol: toHex(policy), sig: toBase64(signature) }] })}\n`,
});

/** @returns the approval, or `protocol/malformed`; whether it holds is the TPM's answer */
export const readApproval = ({ key, signature }: ApprovalFiles): Result<BootApproval> => {
  const refuse = (why: string) => deny('protocol', 'malformed', why);
  const point = attempt(() => pointOf(key), refuse);
  if (!point.ok) return point;
  if (point.value === undefined) return refuse('a key of another kind');
  const decoded = decodeJson(signature, signatures);
  if (!decoded.ok) return refuse(`approval: ${decoded.fault.detail}`);
  const [entry] = decoded.value.sha256;
  if (entry?.pcrs.join() !== approvedRegisters.join()) return refuse('registers of an approval');
  const policy = fromHex(entry.pol);
  if (policy === undefined) return refuse('policy of an approval');
  return ok({ key: point.value, floorEpoch: entry.floor, policy, signature: entry.sig });
};

const signatures = object({
  sha256: list(
    object({
      pcrs: list(integer(0, 23), approvedRegisters.length),
      floor: integer(0, 64),
      pol: text(/^[0-9a-fA-F]{64}$/, '32 bytes in hexadecimal'),
      sig: base64(64),
    }),
    1,
  ),
});

const pointOf = (pem: string): Uint8Array | undefined => {
  const der = new Uint8Array(createPublicKey(pem).export({ format: 'der', type: 'spki' }));
  const isP256 = toHex(der.subarray(0, keyHead.length)) === toHex(keyHead) && der.length === keyHead.length + pointBytes;
  return isP256 ? der.slice(keyHead.length) : undefined;
};
