import { describe, expect, test } from 'vitest';
import { concat, toHex, utf8 } from '#hal/core/bytes';
import { codeOf, unwrap } from '#hal/core/result';
import type { CryptoBackend } from './backend.ts';
import { dhKem } from './dhkem.ts';
import { hpke, hpkeKemIds, keySchedule } from './hpke.ts';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import { xWing } from './xwing.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const fixed = (bytes: Uint8Array) => ({ bytes: () => bytes.slice() });
const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const random = { bytes: (count: number) => filled(count, 9) };
const backends: readonly CryptoBackend[] = [nodeCrypto, nobleCrypto];

/** RFC 9180 appendix A.2.2: DHKEM(X25519), ChaCha20-Poly1305, mode psk. */
const a22 = {
  info: hex('4f6465206f6e2061204772656369616e2055726e'),
  ephemeral: hex('0c35fdf49df7aa01cd330049332c40411ebba36e0c718ebc3edf5845795f6321'),
  publicKey: hex('13640af826b722fc04feaa4de2f28fbd5ecc03623b317834e7ff4120dbe73062'),
  secret: hex('77d114e0212be51cb1d76fa99dd41cfd4d0166b08caa09074430a6c59ef17879'),
  psk: {
    psk: hex('0247fd33b913760fa1fa51e1892d9f307fbe65eb171e8132c2af18555a738b82'),
    id: hex('456e6e796e20447572696e206172616e204d6f726961'),
  },
  enc: '2261299c3f40a9afc133b969a97f05e95be2c514e54f3de26cbe5644ac735b04',
  ciphertexts: [
    '4a177f9c0d6f15cfdf533fb65bf84aecdc6ab16b8b85b4cf65a370e07fc1d78d28fb073214525276f4a89608ff',
    '5c3cabae2f0b3e124d8d864c116fd8f20f3f56fda988c3573b40b09997fd6c769e77c8eda6cda4f947f5b704a8',
    '14958900b44bdae9cbe5a528bf933c5c990dbb8e282e6e495adf8205d19da9eb270e3a6f1e0613ab7e757962a4',
  ],
  exported: '813c1bfc516c99076ae0f466671f0ba5ff244a41699f7b2417e4c59d46d39f40',
};

describe.each(backends)('$name', (backend) => {
  test('mode psk gives the bytes of RFC 9180 appendix A.2.2, on both sides', () => {
    const suite = hpke(backend, hpkeKemIds.dhkemX25519, dhKem(backend, fixed(a22.ephemeral)));
    const { enc, context: sender } = unwrap(suite.sender(a22.publicKey, a22.info, a22.psk));
    expect(toHex(enc)).toBe(a22.enc);
    const receiver = unwrap(suite.receiver(enc, a22.secret, a22.info, a22.psk));
    for (const [index, expected] of a22.ciphertexts.entries()) {
      const aad = utf8(`Count-${index}`);
      const sealed = sender.seal(aad, utf8('Beauty is truth, truth beauty'));
      expect(toHex(sealed)).toBe(expected);
      expect(Buffer.from(unwrap(receiver.open(aad, sealed))).toString()).toBe('Beauty is truth, truth beauty');
    }
    expect(toHex(sender.exportSecret(new Uint8Array(0), 32))).toBe(a22.exported);
    expect(toHex(receiver.exportSecret(new Uint8Array(0), 32))).toBe(a22.exported);
  });

  describe.each([
    ['DHKEM(X25519)', hpkeKemIds.dhkemX25519, dhKem(backend, random)],
    ['MLKEM768-X25519', hpkeKemIds.mlkem768X25519, xWing(backend, random)],
  ] as const)('%s', (_name, id, kem) => {
    const suite = hpke(backend, id, kem);
    const seed = filled(32, 3);
    const publicKey = kem.publicKey(seed);
    const info = utf8('info');
    const aad = utf8('aad');
    const psk = { psk: filled(32, 5), id: utf8('contact') };

    test.each([undefined, psk])('a single shot opens with the same psk and with no other (%#)', (own) => {
      const sealed = unwrap(suite.seal(publicKey, info, aad, utf8('hello'), own));
      expect(Buffer.from(unwrap(suite.open(seed, info, aad, sealed, own))).toString()).toBe('hello');
      const others = [own === undefined ? psk : undefined, { ...psk, psk: filled(32, 6) }, { ...psk, id: utf8('other') }];
      for (const other of others) expect(suite.open(seed, info, aad, sealed, other).ok).toBe(false);
      expect(suite.open(seed, utf8('inf0'), aad, sealed, own).ok).toBe(false);
      expect(suite.open(seed, info, utf8('aae'), sealed, own).ok).toBe(false);
    });

    test('a ciphertext that does not open leaves the sequence where it was', () => {
      const { enc, context } = unwrap(suite.sender(publicKey, info));
      const receiver = unwrap(suite.receiver(enc, seed, info));
      const first = context.seal(aad, utf8('one'));
      const refused = receiver.open(aad, concat(first.subarray(1), filled(1, 0)));
      expect(refused.ok ? '' : codeOf(refused.fault)).toBe('integrity/decryption-failed');
      expect(receiver.open(aad, first).ok).toBe(true);
    });

    test('an encapsulation or key that the KEM refuses is refused', () => {
      expect(suite.sender(publicKey.subarray(1), info)).toMatchObject({ fault: { reason: 'peer-key-invalid' } });
      expect(suite.receiver(filled(kem.ciphertextBytes - 1, 1), seed, info)).toMatchObject({
        fault: { reason: 'decryption-failed' },
      });
      expect(suite.open(seed, info, aad, filled(3, 1))).toMatchObject({ fault: { reason: 'decryption-failed' } });
    });

    test('a wiped context exports nothing that it exported before', () => {
      const { context } = unwrap(suite.sender(publicKey, info));
      const before = context.exportSecret(aad, 32);
      context.wipe();
      expect(context.exportSecret(aad, 32)).not.toEqual(before);
    });
  });

  test('a psk of fewer than 32 bytes or without a name is a mistake of the program', () => {
    const shared = filled(32, 1);
    expect(() => keySchedule(backend, 0x0020, shared, shared, { psk: filled(31, 1), id: utf8('a') })).toThrow(RangeError);
    expect(() => keySchedule(backend, 0x0020, shared, shared, { psk: shared, id: new Uint8Array(0) })).toThrow(RangeError);
  });
});

test('what one back end seals in mode psk to MLKEM768-X25519 the other opens', () => {
  const psk = { psk: filled(32, 5), id: utf8('contact') };
  for (const [a, b] of [
    [nodeCrypto, nobleCrypto],
    [nobleCrypto, nodeCrypto],
  ] as const) {
    const [ours, theirs] = [a, b].map((backend) => hpke(backend, 0x647a, xWing(backend, random)));
    const publicKey = theirs?.kem.publicKey(filled(32, 4)) ?? filled(0, 0);
    const made = unwrap(ours?.sender(publicKey, utf8('i'), psk) ?? expect.fail());
    const received = unwrap(theirs?.receiver(made.enc, filled(32, 4), utf8('i'), psk) ?? expect.fail());
    expect(received.exportSecret(utf8('x'), 32)).toEqual(made.context.exportSecret(utf8('x'), 32));
  }
});
