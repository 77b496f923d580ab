/** Labeled HKDF-SHA256, as HPKE's key schedule and DHKEM use it. Source: RFC 9180 §4. */
import { concat, u16be, utf8 } from '#hal/core/bytes';
import type { CryptoBackend } from './backend.ts';

const version = utf8('HPKE-v1');

/** LabeledExtract: HMAC(salt, "HPKE-v1" ‖ suite_id ‖ label ‖ ikm). */
export const labeledExtract = (
  backend: CryptoBackend,
  suiteId: Uint8Array,
  salt: Uint8Array,
  label: string,
  secret: Uint8Array,
): Uint8Array => backend.hmac(salt, version, suiteId, utf8(label), secret);

/** LabeledExpand: RFC 5869 §2.3 over I2OSP(L, 2) ‖ "HPKE-v1" ‖ suite_id ‖ label ‖ info; at most 255 × 32 bytes. */
export const labeledExpand = (
  backend: CryptoBackend,
  suiteId: Uint8Array,
  pseudorandom: Uint8Array,
  label: string,
  info: Uint8Array,
  lengthBytes: number,
): Uint8Array => {
  if (lengthBytes > 255 * 32) throw new RangeError(`${lengthBytes} bytes are more than HKDF gives`);
  const labeledInfo = concat(u16be(lengthBytes), version, suiteId, utf8(label), info);
  const output = new Uint8Array(lengthBytes);
  let block: Uint8Array = new Uint8Array(0);
  for (let offset = 0; offset < lengthBytes; offset += 32) {
    block = backend.hmac(pseudorandom, block, labeledInfo, Uint8Array.of(offset / 32 + 1));
    output.set(block.subarray(0, lengthBytes - offset), offset);
  }
  return output;
};
