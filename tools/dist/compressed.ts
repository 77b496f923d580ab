/** zstd (RFC 8878), as dpkg 1.21.18 and newer unpack it. */
import { constants, zstdCompressSync } from 'node:zlib';

/** Higher ones take longer and save little. */
const level = 9;

export const compressed = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } }));
