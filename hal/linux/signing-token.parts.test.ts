import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { missingForTokens, openSoftToken, softToken, tokenProgram } from './signing-token.fixture.ts';
import { maxTokenMessageBytes, pkcs11Token } from './signing-token.ts';

const missing = missingForTokens();
const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));

describe.skipIf(missing !== undefined)(`a key in a PKCS #11 token${missing === undefined ? '' : `: ${missing}`}`, () => {
  let soft: ReturnType<typeof openSoftToken>;
  beforeAll(() => {
    soft = openSoftToken();
  });
  afterAll(() => soft?.remove());
  const { module, token, pin } = softToken;
  const at = (key: string, other: Partial<typeof softToken> = {}) =>
    pkcs11Token({ program: tokenProgram, pin: utf8(other.pin ?? pin) }, { module, token, key, ...other });

  test('is made once, and signs messages of any length as RFC 8032 has it', async () => {
    const publicKey = unwrap(await at('os-first').make());
    expect(publicKey).toHaveLength(32);
    expect(code(await at('os-first').make())).toBe('unavailable/token-missing');
    for (const bytes of [1, 1024, 1025, 100_000]) {
      const message = new Uint8Array(bytes).fill(5);
      const signature = unwrap(await at('os-first').sign(message));
      expect(nodeCrypto.ed25519.verify(publicKey, message, signature)).toBe(true);
      expect(unwrap(await at('os-first').sign(message))).toEqual(signature);
    }
  });

  test.each<[string, () => ReturnType<typeof at>, string]>([
    ['another key', () => at('os-second'), 'unavailable/token-missing'],
    ['another token', () => at('os-first', { token: 'other' as 'office' }), 'unavailable/token-missing'],
    ['no module', () => at('os-first', { module: '/nowhere.so' as typeof module }), 'unavailable/token-missing'],
    [
      'what is no module',
      () => at('os-first', { module: '/lib/x86_64-linux-gnu/libc.so.6' as typeof module }),
      'unavailable/token-missing',
    ],
    ['a wrong PIN', () => at('os-first', { pin: '0000' as typeof pin }), 'identity/pin-refused'],
    ['an empty PIN', () => at('os-first', { pin: '' as typeof pin }), 'identity/pin-refused'],
    ['a long PIN', () => at('os-first', { pin: '1'.repeat(256) as typeof pin }), 'identity/pin-refused'],
  ])('signs nothing with %s', async (_, open, expected) => {
    expect(code(await open().sign(new Uint8Array(1)))).toBe(expected);
  });

  test('does not sign more than its limit, nor through a program that is not there, or talks at length', async () => {
    expect(code(await at('os-first').sign(new Uint8Array(maxTokenMessageBytes + 1)))).toBe('protocol/too-large');
    const through = (program: string) => pkcs11Token({ program, pin: utf8(pin) }, { module, token, key: 'os-first' });
    expect(code(await through('/nowhere').sign(new Uint8Array(1)))).toBe('unavailable/token-missing');
    const loud = join(soft.directory, 'loud');
    writeFileSync(loud, '#!/bin/sh\nhead -c 100000 /dev/zero\n', { mode: 0o755 });
    expect(code(await through(loud).sign(new Uint8Array(1)))).toBe('unavailable/token-failed');
  });
});
