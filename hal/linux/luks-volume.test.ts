import { expect, test } from 'vitest';
import { ok } from '#hal/core/result';
import { volumeState } from './luks-volume.ts';

const headerWith = (token: unknown): string => JSON.stringify({ keyslots: {}, tokens: { 0: token }, config: {} });
const token = { type: 'enigm-boot-sealed', keyslots: ['0'], sealed: 'AQID' };
const failed = { ok: false, fault: { category: 'unavailable', reason: 'storage-failed' } };

test('a header with the sealed key is of a whole volume, one without a token of an unfinished one', () => {
  expect(volumeState(headerWith(token))).toEqual(ok({ is: 'whole', sealedKey: Uint8Array.of(1, 2, 3) }));
  expect(volumeState(headerWith(undefined))).toEqual(ok({ is: 'unfinished' }));
});

test.each([
  ['an object that has no text', headerWith({ ...token, sealed: { toString: 1 } })],
  ['a number', headerWith({ ...token, sealed: 1234 })],
  ['no base64', headerWith({ ...token, sealed: 'AQI' })],
  ['no sealed key', headerWith({ type: token.type })],
  ['another type', headerWith({ ...token, type: 'systemd-tpm2' })],
  ['a token that is null', headerWith(null)],
  ['a token that is text', headerWith('AQID')],
  ['tokens that are null', '{"tokens":null}'],
  ['no tokens', '{}'],
  ['no header', 'null'],
  ['no JSON', '{'],
])('%s in the header leaves the volume as it is (SR-07)', (_, json) => {
  expect(volumeState(json)).toMatchObject(failed);
});
