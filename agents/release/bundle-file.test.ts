import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { readBundleFile } from './bundle-file.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const apps = { version: 3, apps: [{ app: 'mail', digest: `hex:${'ab'.repeat(32)}`, user: 2001, confinement: 'strict' }] };

describe('the file of a class', () => {
  test('is the same as JSON and as a message', () => {
    const value = { version: 3, apps: [{ ...apps.apps[0], digest: new Uint8Array(32).fill(0xab) }] };
    const encoded = encodeMessage('AppManifest', value as never);
    for (const file of [encoded, utf8(JSON.stringify(apps))])
      expect(unwrap(readBundleFile('apps', file))).toEqual({ bytes: encoded, version: 3 });
  });

  test.each([
    ['no field', { version: 3 }],
    ['bytes that are none', { ...apps, apps: [{ ...apps.apps[0], digest: 'hex:zz' }] }],
    ['a name that the message does not have', { ...apps, appz: [] }],
    ['such a name further in', { ...apps, apps: [{ ...apps.apps[0], note: 'x' }] }],
    ['another class', { version: 3, postureEverySeconds: 60 }],
  ])('is refused as JSON with %s', (_, json) => {
    expect(code(readBundleFile('apps', utf8(JSON.stringify(json))))).toBe('protocol/config-invalid');
  });

  test('of any bytes is refused by value, or is a message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const name of ['policy', 'configuration', 'apps', 'models'] as const) readBundleFile(name, bytes);
      }),
    );
    fc.assert(fc.property(fc.json(), (text) => code(readBundleFile('policy', utf8(text))) !== 'ok'));
  });

  test('of firmware is whatever it is', () => {
    expect(unwrap(readBundleFile('firmware-key', utf8('{')))).toEqual({ bytes: utf8('{'), version: undefined });
  });
});
