import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import { cobsDecode, cobsEncode } from './cobs.ts';
import { crc32c } from './crc32c.ts';
import {
  type Channel,
  decodeFrame,
  emptyReader,
  encodeFrame,
  type Frame,
  maxBodyBytes,
  maxFrameBytes,
  readFrames,
} from './frame.ts';

const anyBytes = fc.uint8Array({ maxLength: 600 });
const anyFrame = fc.record({
  channel: fc.constantFrom<Channel>(0, 1, 2),
  sequence: fc.nat(255),
  body: fc.uint8Array({ maxLength: maxBodyBytes }),
});

/** Read `bytes` in chunks cut at `cuts`. */
const readAll = (bytes: Uint8Array, cuts: readonly number[]) => {
  let reader = emptyReader;
  let dropped = 0;
  const frames: Frame[] = [];
  const marks = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (let index = 1; index < marks.length; index++) {
    const read = readFrames(reader, bytes.subarray(marks[index - 1], marks[index]));
    expect(read.reader.pending.length).toBeLessThanOrEqual(maxFrameBytes + 7);
    ({ reader } = read);
    frames.push(...read.frames);
    dropped += read.dropped;
  }
  return { frames, dropped, reader };
};

describe('COBS', () => {
  test('gives back what it took, has no zero inside, and grows by at most one byte in 254', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (raw) => {
        const encoded = cobsEncode(raw);
        expect(encoded.includes(0)).toBe(false);
        expect(encoded.length).toBeLessThanOrEqual(raw.length + Math.floor(raw.length / 254) + 1);
        expect(cobsDecode(encoded)).toEqual(raw);
      }),
    );
  });

  test('decodes only what an encoder makes', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const decoded = cobsDecode(bytes);
        if (decoded === undefined) return;
        const again = cobsEncode(decoded);
        // The one second form: a full block at the very end may be followed by an empty one.
        expect([bytes.length, bytes.length - 1]).toContain(again.length);
        expect(bytes.subarray(0, again.length)).toEqual(again);
      }),
    );
    expect(cobsDecode(Uint8Array.of())).toBeUndefined();
    expect(cobsDecode(Uint8Array.of(3, 1))).toBeUndefined();
    expect(cobsDecode(Uint8Array.of(2, 0))).toBeUndefined();
    expect(cobsDecode(Uint8Array.of(0))).toBeUndefined();
  });
});

test('CRC-32C of "123456789" is the check value e3069283', () => {
  expect(crc32c(Buffer.from('123456789')).toString(16)).toBe('e3069283');
});

describe('frames', () => {
  test('come out as they went in, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 9 }), (frames, cuts) => {
        const read = readAll(concat(...frames.map(encodeFrame)), cuts);
        expect(read.frames).toEqual(frames);
        expect(read.dropped).toBe(0);
      }),
    );
  });

  test('one turned bit, and no frame comes out but the ones beside it', () => {
    fc.assert(
      fc.property(anyFrame, anyFrame, anyFrame, fc.nat(), (before, hurt, after, position) => {
        const bytes = encodeFrame(hurt);
        const at = 1 + ((position >> 3) % (bytes.length - 2));
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (position & 7));
        const read = readAll(concat(encodeFrame(before), bytes, encodeFrame(after)), []);
        expect(read.frames).toEqual([before, after]);
        expect(read.dropped).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  test('noise of any length never throws, never grows the buffer, and the next frame is read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6_000 }), anyFrame, fc.array(fc.nat(), { maxLength: 5 }), (noise, frame, cuts) => {
        const read = readAll(concat(noise, encodeFrame(frame)), cuts);
        expect(read.frames.at(-1)).toEqual(frame);
      }),
    );
  });

  test('too long is dropped to the next delimiter, and nothing of it is kept', () => {
    const flood = new Uint8Array(100_000).fill(7);
    const { reader, dropped } = readAll(flood, [10, 2_000, 50_000]);
    expect([reader.pending.length, reader.isSkipping, dropped]).toEqual([0, true, 0]);
    const frame: Frame = { channel: 2, sequence: 1, body: Uint8Array.of(1) };
    expect(readFrames(reader, encodeFrame(frame))).toMatchObject({ frames: [frame], dropped: 1 });
  });

  test('another version, a channel that is none, a short or a long frame are no frames', () => {
    const content = (header: number, length: number): Uint8Array => {
      const body = concat(Uint8Array.of(header, 0), new Uint8Array(length).fill(5));
      const crc = crc32c(body);
      return cobsEncode(concat(body, Uint8Array.of(crc >>> 24, crc >>> 16, crc >>> 8, crc)));
    };
    expect(decodeFrame(content(0x41, 3))?.channel).toBe(1);
    expect(decodeFrame(content(0x41, maxBodyBytes))).toBeDefined();
    for (const [header, length] of [
      [0x81, 3],
      [0x51, 3],
      [0x43, 3],
      [0x41, maxBodyBytes + 1],
    ] as const)
      expect(decodeFrame(content(header, length))).toBeUndefined();
    expect(decodeFrame(cobsEncode(Uint8Array.of(0x41, 1, 2)))).toBeUndefined();
    expect(() => encodeFrame({ channel: 0, sequence: 0, body: new Uint8Array(maxBodyBytes + 1) })).toThrow(RangeError);
  });
});
