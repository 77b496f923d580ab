import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { nobleCrypto } from '#hal/crypto/noble';
import { type BootApproval, readApproval, writeApproval } from './boot-approval.ts';
import { unwrap } from './result.ts';

const approval: BootApproval = {
  key: nobleCrypto.p256.publicKey(new Uint8Array(32).fill(7)),
  floorEpoch: 3,
  policy: new Uint8Array(32).fill(1),
  signature: new Uint8Array(64).fill(2),
};
const written = writeApproval(approval);

test('an approval is read as it was written', () => {
  expect(unwrap(readApproval(written))).toEqual(approval);
  expect(written.key).toContain('BEGIN PUBLIC KEY');
});

const otherKey = generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }).toString();

test.each([
  ['no key', { ...written, key: '' }],
  ['a key of another kind', { ...written, key: otherKey }],
  ['no JSON', { ...written, signature: '{' }],
  ['JSON of something else', { ...written, signature: '{"sha1":[]}' }],
  ['nothing at all', { ...written, signature: 'null' }],
  ['an object in place of the list', { ...written, signature: '{"sha256":{}}' }],
  ['a number in place of the list', { ...written, signature: '{"sha256":5}' }],
  ['an entry that is nothing', { ...written, signature: '{"sha256":[null]}' }],
  ['no entry', { ...written, signature: '{"sha256":[]}' }],
  ['registers as text', { ...written, signature: written.signature.replace('[7,11,12,13]', '"7,11,12,13"') }],
  ['lists in lists', { ...written, signature: written.signature.replace('7,', `${'['.repeat(20_000)}${']'.repeat(20_000)},`) }],
  ['a digest that is no text', { ...written, signature: written.signature.replace(/"pol":"\w*"/, '"pol":{"toString":1}') }],
  ['a signature that is no text', { ...written, signature: written.signature.replace(/"sig":"[^"]*"/, '"sig":{"toString":1}') }],
  ['other registers', { ...written, signature: written.signature.replace('[7,11,12,13]', '[11]') }],
  ['no floor', { ...written, signature: written.signature.replace('"floor":3,', '') }],
  ['a floor above the last', { ...written, signature: written.signature.replace('"floor":3', '"floor":65') }],
  ['a floor that is no number', { ...written, signature: written.signature.replace('"floor":3', '"floor":"3"') }],
  ['a digest of another size', { ...written, signature: written.signature.replace(/"pol":"../, '"pol":"') }],
  ['a signature of another size', { ...written, signature: written.signature.replace(/"sig":"..../, '"sig":"') }],
])('%s is refused', (_, files) => {
  expect(readApproval(files)).toMatchObject({ ok: false, fault: { category: 'protocol', reason: 'malformed' } });
});
