import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concat, toHex, u32be } from '#hal/core/bytes';
import { releaseMemory } from '#hal/core/release-memory';
import { unwrap } from '#hal/core/result';
import { FrameSplitter, frame, maxFrameBytes, writeFrame } from './frames.ts';

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

test('a large frame has memory of its own, and whoever gives it back takes nothing from its neighbours', () => {
  const large = new Uint8Array(40_000).fill(7);
  const stream = concat(frame(Uint8Array.of(1)), frame(large), frame(Uint8Array.of(2)), u32be(3));
  const splitter = new FrameSplitter();
  const [first, second, third] = unwrap(splitter.push(stream));
  releaseMemory(second as Uint8Array);
  expect([first, second?.length, third]).toEqual([Uint8Array.of(1), 0, Uint8Array.of(2)]);
  expect(unwrap(splitter.push(Uint8Array.of(3, 4, 5)))).toEqual([Uint8Array.of(3, 4, 5)]);
});

test('what is sent is given back when it is sent', async () => {
  const sent: number[] = [];
  const bytes = new Uint8Array(40_000).fill(1);
  const onSent: (() => void)[] = [];
  const socket = {
    cork: () => undefined,
    uncork: () => undefined,
    write: (part: Uint8Array, done?: () => void) => {
      sent.push(part.length);
      if (done !== undefined) onSent.push(done);
      return true;
    },
  };
  writeFrame(socket as unknown as Parameters<typeof writeFrame>[0], bytes);
  expect([sent, bytes.length]).toEqual([[4, 40_000], 40_000]);
  for (const done of onSent) done();
  expect(bytes.length).toBe(0);
});
