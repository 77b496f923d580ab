/**
 * Sizes of MQTT packets, read off the bytes as they come: one of the type, one to four of the length, then so many more
 * (MQTT 5, OASIS standard, §2.1.1, §1.5.5).
 *
 * The library collects a packet whole, up to 256 MiB, before it looks at it. This says so with the first bytes.
 */

const mostLengthBytes = 4;

/**
 * @param maxBytes of a packet with its header, as Maximum Packet Size counts (§3.1.2.11.4)
 * @returns given one chunk after the other: false from the packet on that is announced larger, or whose length has no end
 */
export const packetsWithin = (maxBytes: number): ((chunk: Uint8Array) => boolean) => {
  let toSkip = 0;
  /** Of the length: bytes so far; undefined before the type. */
  let lengthBytes: number | undefined;
  let length = 0;
  let isWithin = true;
  const readHeader = (byte: number): void => {
    if (lengthBytes === undefined) {
      lengthBytes = 0;
      length = 0;
      return;
    }
    length += (byte & 0x7f) * 128 ** lengthBytes;
    lengthBytes += 1;
    const hasMore = byte >= 0x80;
    isWithin = 1 + lengthBytes + length <= maxBytes && !(hasMore && lengthBytes === mostLengthBytes);
    if (hasMore) return;
    toSkip = length;
    lengthBytes = undefined;
  };
  return (chunk) => {
    for (let at = 0; at < chunk.length && isWithin; ) {
      if (toSkip === 0) {
        readHeader(chunk[at] ?? 0);
        at += 1;
      }
      const skipped = Math.min(toSkip, chunk.length - at);
      toSkip -= skipped;
      at += skipped;
    }
    return isWithin;
  };
};
