/** The body of a request or of an answer over HTTP. */

/** @returns undefined for one of more than `mostBytes`, or whose connection ended before it did */
export const bodyWithin = async (stream: AsyncIterable<Uint8Array>, mostBytes: number): Promise<Uint8Array | undefined> => {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of stream) {
      length += part.length;
      if (length > mostBytes) return undefined;
      parts.push(part);
    }
  } catch {
    return undefined;
  }
  return new Uint8Array(Buffer.concat(parts));
};
