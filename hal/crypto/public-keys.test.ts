import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { publicKeyCache } from './public-keys.ts';

const key: KeyObject = createPublicKey(generateKeyPairSync('ed25519').privateKey);

const counted = (limit: number) => {
  const cache = publicKeyCache(limit);
  const imports: number[] = [];
  const use = (value: number): KeyObject | undefined =>
    cache(Uint8Array.of(value, 0, 255), () => {
      imports.push(value);
      return key;
    });
  return { imports, use };
};

test('imports a key once while it is kept', () => {
  const { imports, use } = counted(2);
  expect([use(1), use(1), use(2), use(1)]).toEqual([key, key, key, key]);
  expect(imports).toEqual([1, 2]);
});

test('drops the key that was used longest ago', () => {
  const { imports, use } = counted(2);
  for (const value of [1, 2, 1, 3, 1, 2]) use(value);
  expect(imports).toEqual([1, 2, 3, 2]);
});

test('does not keep a key that was refused', () => {
  const cache = publicKeyCache(2);
  expect(cache(Uint8Array.of(1), () => undefined)).toBeUndefined();
  expect(cache(Uint8Array.of(1), () => key)).toBe(key);
});
