/**
 * Frames on a byte stream: COBS between zero bytes, and inside `version:2 flags:2 channel:4 | sequence:8 | body |
 * crc32c:4` (big-endian).
 *
 * The CRC diagnoses cables and saves work; what authenticates is inside the body. A bad frame is dropped and never
 * answered, so that nobody learns from the line what was wrong with it.
 */
import { cobsDecode, cobsEncode } from './cobs.ts';
import { crc32c } from './crc32c.ts';
import { empty, join, readU32, u32 } from './octets.ts';

export const channels = { handshake: 0, control: 1, event: 2 } as const;
export type Channel = (typeof channels)[keyof typeof channels];

export interface Frame {
  readonly channel: Channel;
  /** Low eight bits of a counter, for diagnosis. */
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** Header, body and CRC together, before COBS. */
export const maxFrameBytes = 1536;
export const maxBodyBytes = maxFrameBytes - 6;
const maxEncodedBytes = maxFrameBytes + Math.floor(maxFrameBytes / 254) + 1;
const version = 1;

/** With a delimiter on both sides: the first ends whatever noise stood on the line. */
export const encodeFrame = ({ channel, sequence, body }: Frame): Uint8Array => {
  if (body.length > maxBodyBytes) throw new RangeError(`a frame carries at most ${maxBodyBytes} bytes`);
  const content = join(Uint8Array.of((version << 6) | channel, sequence & 0xff), body);
  return join(delimiter, cobsEncode(join(content, u32(crc32c(content)))), delimiter);
};

const delimiter = Uint8Array.of(0);

/** What stands between two delimiters. @returns undefined for anything but a whole frame of this version */
export const decodeFrame = (encoded: Uint8Array): Frame | undefined => {
  const whole = cobsDecode(encoded);
  if (whole === undefined || whole.length < 6 || whole.length > maxFrameBytes) return undefined;
  const content = whole.subarray(0, whole.length - 4);
  if (crc32c(content) !== readU32(whole, content.length)) return undefined;
  const header = content[0] ?? 0;
  const channel = header & 0x0f;
  if (header >> 4 !== version << 2 || !isChannel(channel)) return undefined;
  return { channel, sequence: content[1] ?? 0, body: content.slice(2) };
};

const isChannel = (channel: number): channel is Channel => channel <= channels.event;

/** What is kept between two reads: at most one frame that is not complete, and nothing of one that is too long. */
export interface FrameReader {
  readonly pending: Uint8Array;
  /** Too much came without a delimiter: everything is dropped up to the next one. */
  readonly isSkipping: boolean;
}

export const emptyReader: FrameReader = { pending: empty, isSkipping: false };

export interface Read {
  readonly reader: FrameReader;
  readonly frames: readonly Frame[];
  /** Frames that were not empty and not whole. */
  readonly dropped: number;
}

/** Cut a stream into frames; linear in the bytes, bounded in memory. */
export const readFrames = (reader: FrameReader, bytes: Uint8Array): Read => {
  const frames: Frame[] = [];
  let dropped = 0;
  let { pending, isSkipping } = reader;
  let start = 0;
  for (let end = bytes.indexOf(0); end !== -1; end = bytes.indexOf(0, start)) {
    const encoded = join(pending, bytes.subarray(start, end));
    if (isSkipping || encoded.length > maxEncodedBytes) dropped += 1;
    else if (encoded.length > 0) {
      const frame = decodeFrame(encoded);
      if (frame === undefined) dropped += 1;
      else frames.push(frame);
    }
    pending = empty;
    isSkipping = false;
    start = end + 1;
  }
  const rest = bytes.subarray(start);
  if (isSkipping || pending.length + rest.length > maxEncodedBytes)
    return { reader: { pending: empty, isSkipping: true }, frames, dropped };
  return { reader: { pending: rest.length === 0 ? pending : join(pending, rest), isSkipping }, frames, dropped };
};
