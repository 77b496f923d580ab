import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toBase64, utf8 } from '#hal/core/bytes';
import { codeOf, unwrap } from '#hal/core/result';
import { officeRoles } from '#ota-client/repository/signing-item';
import { type KeyFile, keyFileText, readKeyFile } from './key-file.ts';

const some = (count: number) => toBase64(new Uint8Array(count).fill(7));
const clear = { classical: some(32), postQuantum: some(32) };
const token = { module: '/lib/module.so', token: 'office', key: 'os-first', publicKey: some(32) };
const sealed = { root: some(34), wrapped: some(250), mlDsa65: some(1952) };
const read = (fields: object) => readKeyFile(utf8(JSON.stringify({ name: 'os-first', role: 'os', ...fields })));
const code = (fields: object) => {
  const result = read(fields);
  return result.ok ? 'ok' : codeOf(result.fault);
};

describe('the file of a key', () => {
  test.each<[string, object, KeyFile['seeds']['kind']]>([
    ['both seeds in clear, as the first of them were', clear, 'clear'],
    ['one seed in clear and a token', { token, postQuantum: some(32) }, 'clear'],
    ['both seeds sealed', { sealed: { ...sealed, ed25519: some(32) } }, 'sealed'],
    ['one seed sealed and a token', { token, sealed }, 'sealed'],
  ])('holds %s', (_, fields, kind) => {
    const file = unwrap(read(fields));
    expect(file.seeds.kind).toBe(kind);
    expect(JSON.parse(keyFileText(file))).toEqual({ name: 'os-first', role: 'os', ...fields });
  });

  test.each<[string, object]>([
    ['nothing', {}],
    ['half in clear', { classical: some(32) }],
    ['the other half in clear', { postQuantum: some(32) }],
    ['the classical half twice', { ...clear, token }],
    ['a token alone', { token }],
    ['the post-quantum half twice', { ...clear, sealed: { ...sealed, ed25519: some(32) } }],
    ['one half in clear beside what is sealed', { classical: some(32), sealed }],
    ['a token, and the classical half sealed too', { token, sealed: { ...sealed, ed25519: some(32) } }],
    ['no classical half', { sealed }],
    ['a seed of another size', { ...clear, classical: some(31) }],
    ['a public half of another size', { token, sealed: { ...sealed, mlDsa65: some(1951) } }],
    ['more than a TPM wraps', { token, sealed: { ...sealed, wrapped: some(1025) } }],
    ['a longer name than a TPM has', { token, sealed: { ...sealed, root: some(67) } }],
    ['nothing wrapped', { token, sealed: { ...sealed, wrapped: '' } }],
    ['what nobody knows', { ...clear, pin: '1234' }],
    ['another role', { ...clear, role: 'nobody' }],
    ['another name', { ...clear, name: '../os' }],
  ])('does not hold %s', (_, fields) => {
    expect(code(fields)).toBe('protocol/config-invalid');
  });

  const bytes = (least: number, most = least) => fc.uint8Array({ minLength: least, maxLength: most });
  const half = bytes(32);
  const place = fc.record({ module: fc.constant('/m.so'), token: fc.constant('office'), key: fc.constant('k'), publicKey: half });
  const kinds = {
    clear: (count: number) => bytes(count).map((seeds) => ({ kind: 'clear' as const, bytes: seeds })),
    sealed: (count: number) =>
      fc
        .record({ root: bytes(1, 66), wrapped: bytes(1, 1024), ed25519: half, mlDsa65: bytes(1952) })
        .map(({ ed25519, ...rest }) => ({ kind: 'sealed' as const, ...rest, ...(count === 64 ? { ed25519 } : {}) })),
  };
  const anyFile = fc.tuple(fc.constantFrom('clear', 'sealed'), fc.boolean()).chain(
    ([kind, hasToken]): fc.Arbitrary<KeyFile> =>
      fc.record({
        name: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,63}$/),
        role: fc.constantFrom(...officeRoles),
        token: hasToken ? place : fc.constant(undefined),
        seeds: kinds[kind as 'clear' | 'sealed'](hasToken ? 32 : 64),
      }),
  );

  test('is read as it was written', () => {
    fc.assert(
      fc.property(anyFile, (file) => {
        expect(unwrap(readKeyFile(utf8(keyFileText(file))))).toEqual(file);
      }),
    );
  });

  test('is refused by value where it is anything else, or lacks a byte of a key', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (any) => !readKeyFile(any).ok));
    fc.assert(
      fc.property(anyFile, fc.nat(), (file, at) => {
        const whole = utf8(keyFileText(file).trimEnd());
        const cut = at % whole.length;
        const without = readKeyFile(new Uint8Array([...whole.slice(0, cut), ...whole.slice(cut + 1)]));
        // A name or a path that is shorter is one.
        if (without.ok) expect(without.value.seeds).toEqual(file.seeds);
      }),
    );
  });
});
