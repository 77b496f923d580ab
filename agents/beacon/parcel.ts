/**
 * A message of an alert as the courier carries it: every parcel has one size, so that an opening, a position and an end
 * look alike from outside. `length 2 | message | zeros`. Limit: the courier sees the message's own header in clear.
 */
import { readU16 } from '#firmware-key/core/octets';
import { concat, u16be } from '#hal/core/bytes';

/** The longest message, a capsule, has 1285 bytes. */
export const parcelBytes = 1536;

export const wrapParcel = (message: Uint8Array): Uint8Array =>
  concat(u16be(message.length), message, new Uint8Array(parcelBytes - 2 - message.length));

/** @returns the message, or undefined for anything that `wrapParcel` does not make */
export const unwrapParcel = (parcel: Uint8Array): Uint8Array | undefined => {
  const end = 2 + readU16(parcel, 0);
  if (parcel.length !== parcelBytes || end > parcelBytes || parcel.subarray(end).some((byte) => byte !== 0)) return undefined;
  return parcel.slice(2, end);
};
