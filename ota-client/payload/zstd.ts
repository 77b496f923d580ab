/**
 * zstd (RFC 8878) for one segment: one frame that states its size, with or without a raw dictionary.
 *
 * The decoder sees only bytes whose hash the release pins; the checks here bound what such bytes may ask for.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { attempt, deny, type Failure, ok, type Result } from '#hal/core/result';
import { passed } from '#hal/core/young-garbage';
import { maxWindowLog } from './limits.ts';

/**
 * @param dictionary content only (RFC 8878 §5, "raw content dictionary")
 * @param level 1 to 22
 */
export const compress = (bytes: Uint8Array, dictionary: Uint8Array | undefined, level: number): Uint8Array =>
  zstdCompressSync(bytes, {
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_windowLog]: maxWindowLog,
      [constants.ZSTD_c_contentSizeFlag]: 1,
      [constants.ZSTD_c_checksumFlag]: 0,
      [constants.ZSTD_c_dictIDFlag]: 0,
    },
    pledgedSrcSize: bytes.length,
    ...dictionaryOption(dictionary),
  });

/** What a decoder holds beside its dictionary until the engine collects it, whatever it has decoded: closing it is not enough. */
const decoderBytes = 256 * 1024;

/** @returns exactly `lengthBytes` bytes, in memory of their own; or `integrity/payload-malformed` */
export const decompress = (
  compressed: Uint8Array,
  dictionary: Uint8Array | undefined,
  lengthBytes: number,
): Result<Uint8Array> => {
  const declared = declaredBytes(compressed);
  if (declared !== lengthBytes) return refuse(`a frame of ${declared} bytes where ${lengthBytes} are due`);
  if (dictionary !== undefined && isFormattedDictionary(dictionary)) return refuse('a formatted dictionary');
  passed(decoderBytes + (dictionary?.length ?? 0));
  const decoded = attempt(
    () =>
      zstdDecompressSync(compressed, {
        maxOutputLength: lengthBytes,
        params: { [constants.ZSTD_d_windowLogMax]: maxWindowLog },
        // All in one piece, which must not become full: zlib would then make room for another.
        chunkSize: lengthBytes + 64,
        ...dictionaryOption(dictionary),
      }),
    refuse,
  );
  if (!decoded.ok) return decoded;
  const { buffer, byteOffset, length } = decoded.value;
  return length === lengthBytes ? ok(new Uint8Array(buffer, byteOffset, length)) : refuse(`${length} bytes came out`);
};

/** A view: zlib copies what it keeps. */
const dictionaryOption = (dictionary: Uint8Array | undefined) =>
  dictionary === undefined ? {} : { dictionary: Buffer.from(dictionary.buffer, dictionary.byteOffset, dictionary.byteLength) };

/**
 * Bytes that begin a formatted dictionary (RFC 8878 §5). zlib takes any dictionary that begins so for one, and would read
 * entropy tables out of an operating system's files.
 */
export const isFormattedDictionary = (dictionary: Uint8Array): boolean =>
  dictionary[0] === 0x37 && dictionary[1] === 0xa4 && dictionary[2] === 0x30 && dictionary[3] === 0xec;

/**
 * `Frame_Content_Size` of RFC 8878 §3.1.1.1.
 * @returns undefined where the bytes begin no frame, or one that names a dictionary, keeps its size to itself, or wants a
 * window above our limit
 */
const declaredBytes = (frame: Uint8Array): number | undefined => {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 9 || view.getUint32(0, true) !== 0xfd2fb528) return undefined;
  const descriptor = view.getUint8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const hasReservedBit = (descriptor & 0x08) !== 0;
  const namesDictionary = (descriptor & 0x03) !== 0;
  if (hasReservedBit || namesDictionary) return undefined;
  if (!isSingleSegment && 10 + (view.getUint8(5) >> 3) > maxWindowLog) return undefined;
  const at = isSingleSegment ? 5 : 6;
  switch (descriptor >> 6) {
    case 0:
      return isSingleSegment ? view.getUint8(at) : undefined;
    case 1:
      return at + 2 > frame.length ? undefined : view.getUint16(at, true) + 256;
    case 2:
      return at + 4 > frame.length ? undefined : view.getUint32(at, true);
    default:
      return undefined; // eight bytes: no segment is that long
  }
};

const refuse = (why: string): Failure => deny('integrity', 'payload-malformed', `zstd: ${why}`);
