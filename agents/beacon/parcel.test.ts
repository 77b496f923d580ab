import { expect, test } from 'vitest';
import { parcelBytes, unwrapParcel, wrapParcel } from './parcel.ts';

test('a parcel gives its message back, and has one size whatever is in it', () => {
  for (const length of [0, 1, 101, 1285, parcelBytes - 2]) {
    const message = new Uint8Array(length).fill(7);
    const parcel = wrapParcel(message);
    expect(parcel.length).toBe(parcelBytes);
    expect(unwrapParcel(parcel)).toEqual(message);
  }
});

test('what does not fit is the fault of the program', () => {
  expect(() => wrapParcel(new Uint8Array(parcelBytes - 1))).toThrow();
});

test('another size, a length beyond the end, and bytes after the message are no parcel', () => {
  const parcel = wrapParcel(Uint8Array.of(1, 2, 3));
  expect(unwrapParcel(parcel.subarray(1))).toBeUndefined();
  expect(unwrapParcel(new Uint8Array())).toBeUndefined();
  expect(unwrapParcel(parcel.with(0, 0xff))).toBeUndefined();
  expect(unwrapParcel(parcel.with(parcelBytes - 1, 1))).toBeUndefined();
});
