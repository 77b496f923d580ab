import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf } from '#hal/core/result';
import { encodePublic, tpm2b } from '#hal/tpm/public';
import { linkTemplate } from '#hal/tpm/templates';
import { keyFile, publicKeyInfo } from './key-file.ts';

/** Tag and contents of each element; throws for lengths that are no DER, or that do not end where the bytes do. */
const elementsOf = (der: Uint8Array): readonly (readonly [number, Uint8Array])[] => {
  const elements: (readonly [number, Uint8Array])[] = [];
  for (let at = 0; at < der.length; ) {
    const [tag = 0, first = 0] = der.subarray(at, at + 2);
    const longer = first < 0x80 ? 0 : first & 0x7f;
    const length = longer === 0 ? first : Number.parseInt(Buffer.from(der.subarray(at + 2, at + 2 + longer)).toString('hex'), 16);
    if (longer > 0 && length < 0x80) throw new Error('a long length for a short content');
    const begin = at + 2 + longer;
    at = begin + length;
    if (at > der.length) throw new Error('an element that is cut short');
    elements.push([tag, der.subarray(begin, at)]);
  }
  return elements;
};
const bodyOf = (file: string): Uint8Array => {
  const [, label, body = ''] = file.match(/^-----BEGIN ([A-Z0-9 ]+)-----\n([\s\S]+)-----END \1-----\n$/) ?? [];
  expect(label).toBe('TSS2 PRIVATE KEY');
  expect(body.split('\n').every((line) => line.length <= 64)).toBe(true);
  return new Uint8Array(Buffer.from(body, 'base64'));
};
const area = fc.uint8Array({ maxLength: 600 });
const coordinate = fc.uint8Array({ minLength: 0, maxLength: 32 });

describe('the file of a key that a TPM wrapped', () => {
  test('holds exactly both areas and the parent, whatever they are', () => {
    fc.assert(
      fc.property(area, area, fc.integer({ min: 1, max: 0xffffffff }), (privateArea, publicArea, parentHandle) => {
        const [[outer, body] = [0, new Uint8Array()], ...more] = elementsOf(
          bodyOf(keyFile({ privateArea, publicArea }, parentHandle)),
        );
        expect([outer, more.length]).toEqual([0x30, 0]);
        const [type, emptyAuth, parent, publicPart, privatePart, ...rest] = elementsOf(body);
        expect(rest).toEqual([]);
        expect(type).toEqual([0x06, Uint8Array.of(0x67, 0x81, 0x05, 0x0a, 0x01, 0x03)]);
        expect(emptyAuth).toEqual([0xa0, Uint8Array.of(0x01, 0x01, 0xff)]);
        expect(parent?.[0]).toBe(0x02);
        expect(Number.parseInt(Buffer.from(parent?.[1] ?? []).toString('hex'), 16)).toBe(parentHandle);
        expect((parent?.[1][0] ?? 0xff) < 0x80).toBe(true);
        expect(publicPart).toEqual([0x04, publicArea]);
        expect(privatePart).toEqual([0x04, privateArea]);
      }),
    );
  });
});

describe('the public half of such a key', () => {
  const areaOf = (x: Uint8Array, y: Uint8Array) =>
    tpm2b(encodePublic({ ...linkTemplate, key: { type: 'ecc', symmetric: undefined, scheme: undefined, curve: 3, x, y } }));

  test('is what every library writes for this point, also where the TPM leaves zeros out', () => {
    for (let turn = 0; turn < 20; turn += 1) {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
      const [wholeX, wholeY] = [x, y].map((text) => new Uint8Array(Buffer.from(text, 'base64url')));
      const short = (bytes = new Uint8Array()) => bytes.subarray(bytes.findIndex((byte) => byte !== 0));
      const written = publicKeyInfo({ publicArea: areaOf(short(wholeX), short(wholeY)) });
      expect(written).toEqual({ ok: true, value: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })) });
      expect(
        createPublicKey({ key: Buffer.from(written.ok ? written.value : []), format: 'der', type: 'spki' }).equals(publicKey),
      ).toBe(true);
    }
  });

  test('has 91 bytes for any coordinates, and is refused by value for anything else', () => {
    fc.assert(
      fc.property(coordinate, coordinate, (x, y) => {
        const written = publicKeyInfo({ publicArea: areaOf(x, y) });
        expect(written.ok && written.value.length).toBe(91);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (publicArea) => {
        const written = publicKeyInfo({ publicArea });
        if (!written.ok) expect(codeOf(written.fault)).toBe('attestation/malformed');
        else expect(written.value.length).toBe(91);
      }),
    );
  });
});
