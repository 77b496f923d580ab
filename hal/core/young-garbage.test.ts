import { expect, test } from 'vitest';
import { passed } from './young-garbage.ts';

test('buffers that were used once do not gather', () => {
  const pieceBytes = 256 * 1024;
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let piece = 0; piece < 400; piece += 1) {
    passed(pieceBytes);
    Buffer.allocUnsafeSlow(pieceBytes)[0] = piece;
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  // A hundred MiB went by.
  expect(most).toBeLessThan(24 * 1024 * 1024);
});
