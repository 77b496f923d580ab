/** What somebody types to use a key of theirs. */

/** As many as one byte counts, which is how PINs go to `enigm-token`. */
export const maxPinBytes = 255;

export const isPin = (pin: Uint8Array): boolean => pin.length > 0 && pin.length <= maxPinBytes;
