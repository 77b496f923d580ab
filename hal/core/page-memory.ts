/**
 * Memory that begins with a page: between it and a medium the kernel moves bytes without a copy (open(2), O_DIRECT).
 *
 * Node gives no addresses. V8 reserves whole pages for a buffer whose size may change, even one that has reached its
 * largest already (`BackingStore::TryAllocateAndPartiallyCommitMemory`), and takes others from malloc.
 */
export const pageBytes = 4096;

export const pageMemory = (lengthBytes: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(new ArrayBuffer(lengthBytes, { maxByteLength: lengthBytes }), 0, lengthBytes);

/** Whether bytes are whole pages of such memory. */
export const isWholePages = ({ buffer, byteOffset, byteLength }: Uint8Array): boolean =>
  buffer instanceof ArrayBuffer && buffer.resizable && byteOffset % pageBytes === 0 && byteLength % pageBytes === 0;
