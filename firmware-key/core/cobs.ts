/**
 * Consistent Overhead Byte Stuffing: no zero inside, at most one byte more in 254.
 *
 * Source: S. Cheshire, M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on Networking 7(2), 1999.
 */
export const cobsEncode = (raw: Uint8Array): Uint8Array => {
  const encoded = new Uint8Array(raw.length + Math.floor(raw.length / 254) + 1);
  let codeAt = 0;
  let length = 1;
  let code = 1;
  for (let index = 0; index < raw.length; index++) {
    const byte = raw[index] ?? 0;
    if (byte !== 0) {
      encoded[length++] = byte;
      code += 1;
    }
    const isLast = index === raw.length - 1;
    if (byte === 0 || (code === 0xff && !isLast)) {
      encoded[codeAt] = code;
      codeAt = length++;
      code = 1;
    }
  }
  encoded[codeAt] = code;
  return encoded.subarray(0, length);
};

/** @returns undefined for bytes that no encoder makes: a zero inside, or a block longer than what is left */
export const cobsDecode = (encoded: Uint8Array): Uint8Array | undefined => {
  if (encoded.length === 0) return undefined;
  const raw = new Uint8Array(encoded.length);
  let length = 0;
  let index = 0;
  while (index < encoded.length) {
    const code = encoded[index++] ?? 0;
    if (code === 0 || index + code - 1 > encoded.length) return undefined;
    for (let count = 1; count < code; count++) {
      const byte = encoded[index++] ?? 0;
      if (byte === 0) return undefined;
      raw[length++] = byte;
    }
    if (code !== 0xff && index < encoded.length) raw[length++] = 0;
  }
  return raw.subarray(0, length);
};
