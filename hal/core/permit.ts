/**
 * Permits (SR-01): the mind's word to the hands that one call was decided on.
 *
 * A permit names the effector and the exact bytes of the request, belongs to one boot and one life of the hands, is
 * used once, and is worth nothing after `notAfterBootMs`. It is necessary, never sufficient: what changes trust for
 * good is checked by the hands against the original signed envelope as well.
 *
 * Fixed layout, so that the hands need no parser: digest(32) audience ‖ digest(32) arguments ‖ boot id(16) ‖
 * sequence(8) ‖ notAfterBootMs(8) ‖ policy digest(32) ‖ audit leaf(32) ‖ HMAC-SHA-256(32) over a domain string and all
 * before it; numbers big-endian.
 */
import { createHash, createHmac } from 'node:crypto';
import { concat, equalBytes, u64be, utf8 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';

export interface Permit {
  /** `port.method`, as in the table of methods. */
  readonly audience: string;
  /** The exact request bytes. */
  readonly arguments: Uint8Array;
  /** 16 bytes. */
  readonly bootId: Uint8Array;
  /** Strictly rising within one life of the hands. */
  readonly sequence: number;
  /** CLOCK_BOOTTIME in milliseconds. */
  readonly notAfterBootMs: number;
  /** SHA-256 of the policy that allowed it. */
  readonly policyDigest: Uint8Array;
  /** RFC 6962 leaf hash of the audit record of the decision. */
  readonly auditLeaf: Uint8Array;
}

/** A permit lives at most this long, whatever it says. */
export const maxPermitLifeMs = 60_000;
export const permitBytes = 32 + 32 + 16 + 8 + 8 + 32 + 32 + 32;
const macBytes = 32;
const domain = utf8('enigm-permit-1');

export const mintPermit = (key: Uint8Array, permit: Permit): Uint8Array => {
  const body = concat(
    sha256(utf8(permit.audience)),
    sha256(permit.arguments),
    permit.bootId,
    u64be(permit.sequence),
    u64be(permit.notAfterBootMs),
    permit.policyDigest,
    permit.auditLeaf,
  );
  return concat(body, mac(key, body));
};

/** What the hands know when a permit arrives. */
export interface PermitContext {
  readonly audience: string;
  readonly arguments: Uint8Array;
  readonly bootId: Uint8Array;
  readonly bootMs: number;
  /** Highest sequence used in this life. */
  readonly lastSequence: number;
}

/**
 * @returns the sequence, which the caller must store as used before it acts; or `authorization/permit-invalid`,
 * `-audience`, `-arguments`, `-boot`, `-replayed`, `-expired`
 */
export const checkPermit = (key: Uint8Array, permit: Uint8Array, context: PermitContext): Result<number> => {
  if (permit.length !== permitBytes) return deny('authorization', 'permit-invalid', 'length');
  const body = permit.subarray(0, permitBytes - macBytes);
  if (!equalBytes(permit.subarray(permitBytes - macBytes), mac(key, body))) return deny('authorization', 'permit-invalid', 'mac');
  if (!equalBytes(body.subarray(0, 32), sha256(utf8(context.audience)))) return deny('authorization', 'permit-audience');
  if (!equalBytes(body.subarray(32, 64), sha256(context.arguments))) return deny('authorization', 'permit-arguments');
  if (!equalBytes(body.subarray(64, 80), context.bootId)) return deny('authorization', 'permit-boot');
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const sequence = Number(view.getBigUint64(80));
  const notAfterBootMs = Number(view.getBigUint64(88));
  // Above this a number has no successor, and the last one used could not be said any more.
  if (!Number.isSafeInteger(sequence)) return deny('authorization', 'permit-invalid', 'sequence');
  if (sequence <= context.lastSequence) return deny('authorization', 'permit-replayed');
  if (notAfterBootMs < context.bootMs || notAfterBootMs > context.bootMs + maxPermitLifeMs)
    return deny('authorization', 'permit-expired');
  return ok(sequence);
};

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const mac = (key: Uint8Array, body: Uint8Array): Uint8Array => createHmac('sha256', key).update(domain).update(body).digest();
