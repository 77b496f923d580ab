import { expect, test } from 'vitest';
import { encodeMessage } from '#hal/core/message';
import { carried } from './carried.ts';

test('of what a broker sends only that is carried on which the door to the mind can take', async () => {
  const sizes = [0, 1, 31, 32, 1_000, 128 * 1024, 128 * 1024 + 1, 1024 * 1024];
  const broker = {
    messages: async function* () {
      for (const size of sizes) yield { topic: 'enigm/v1/x/down', payload: new Uint8Array(size) };
    },
  };
  const seen: number[] = [];
  for await (const { value } of carried(broker, new AbortController().signal)) {
    encodeMessage('LinkMessage', value);
    seen.push(value.sealed.length);
  }
  expect(seen).toEqual([32, 1_000, 128 * 1024]);
});
