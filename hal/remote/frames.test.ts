import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concat, toHex, u32be } from '#hal/core/bytes';
import { FrameSplitter, frame, maxFrameBytes } from './frames.ts';

test('gives the same frames however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (frames, cuts) => {
        const stream = concat(...frames.map(frame));
        const splitter = new FrameSplitter();
        const seen: string[] = [];
        for (let offset = 0, turn = 0; offset < stream.length; turn += 1) {
          const size = cuts[turn % cuts.length] as number;
          const pushed = splitter.push(stream.subarray(offset, offset + size));
          if (pushed.ok) seen.push(...pushed.value.map(toHex));
          offset += size;
        }
        expect(seen).toEqual(frames.map(toHex));
      },
    ),
  );
});

test('refuses a length above the limit before it waits for the bytes', () => {
  expect(new FrameSplitter().push(u32be(maxFrameBytes + 1))).toMatchObject({
    ok: false,
    fault: { category: 'protocol', reason: 'too-large' },
  });
  expect(new FrameSplitter().push(u32be(maxFrameBytes))).toEqual({ ok: true, value: [] });
});
