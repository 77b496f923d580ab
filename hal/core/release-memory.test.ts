import { expect, test } from 'vitest';
import { pageMemory } from './page-memory.ts';
import { releaseMemory } from './release-memory.ts';

const lengthAfter = (bytes: Uint8Array): number => {
  releaseMemory(bytes);
  return bytes.length;
};

test('memory of large bytes is given back at once', () => {
  const before = process.memoryUsage().arrayBuffers;
  for (let piece = 0; piece < 1000; piece += 1) {
    const bytes = Buffer.allocUnsafeSlow(256 * 1024);
    bytes[0] = piece;
    expect(lengthAfter(bytes)).toBe(0);
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
});

test('so is that of bytes with a little beside them', () => {
  const memory = new Uint8Array(32 * 1024);
  expect(lengthAfter(memory.subarray(200))).toBe(0);
  expect(memory.length).toBe(0);
});

test('parts of larger memory are left alone: others are in it', () => {
  const memory = new Uint8Array(64 * 1024);
  expect(lengthAfter(memory.subarray(0, 32 * 1024))).toBe(32 * 1024);
  expect(lengthAfter(memory.subarray(1025))).toBe(64 * 1024 - 1025);
  expect(lengthAfter(Buffer.allocUnsafe(1024))).toBe(1024);
});

test('small bytes are left alone, and page memory, which is kept to be used again', () => {
  expect(lengthAfter(new Uint8Array(100))).toBe(100);
  expect(lengthAfter(pageMemory(64 * 1024))).toBe(64 * 1024);
});

test('twice is no fault', () => {
  const bytes = new Uint8Array(32 * 1024);
  releaseMemory(bytes);
  expect(lengthAfter(bytes)).toBe(0);
});
