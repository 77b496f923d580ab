/**
 * One published answer for every primitive, small enough to stand here, so that these run without the corpora.
 * Where a value is long its SHA-256 stands for it.
 */
import { describe, expect, test } from 'vitest';
import { concat, toHex, utf8 } from '#hal/core/bytes';
import type { CryptoBackend, HashName } from './backend.ts';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import { xWing } from './xwing.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const digest = (bytes: Uint8Array | undefined): string => toHex(nodeCrypto.hash('sha256', bytes ?? new Uint8Array(0)));
const count = (from: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => from + index);

const backends: readonly CryptoBackend[] = [nodeCrypto, nobleCrypto];

/** FIPS 180-4 and FIPS 202, the example message "abc". */
const digestsOfAbc: Readonly<Record<HashName, string>> = {
  sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  sha384: `cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed
           8086072ba1e7cc2358baeca134c825a7`,
  sha512: `ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
           2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f`,
  'sha3-256': '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532',
};

describe.each(backends)('$name', (backend) => {
  test.each(Object.entries(digestsOfAbc) as [HashName, string][])('%s of "abc", whole and in parts', (name, expected) => {
    expect(backend.hash(name, utf8('abc'))).toEqual(hex(expected));
    expect(backend.hash(name, utf8('a'), utf8(''), utf8('bc'))).toEqual(hex(expected));
  });

  test('SHAKE256 of nothing, FIPS 202 §6.2', () => {
    expect(toHex(backend.shake256(utf8(''), 32))).toBe('46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f');
  });

  test('HMAC-SHA-256, RFC 4231 §4.3', () => {
    const expected = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
    expect(toHex(backend.hmac(utf8('Jefe'), utf8('what do ya want for nothing?')))).toBe(expected);
    expect(toHex(backend.hmac(utf8('Jefe'), utf8('what do ya '), utf8('want for nothing?')))).toBe(expected);
  });

  test('HKDF-SHA-256, RFC 5869 appendix A.1', () => {
    const output = backend.hkdf(new Uint8Array(22).fill(0x0b), count(0, 13), count(0xf0, 10), 42);
    expect(output).toEqual(hex('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'));
  });

  test('ChaCha20-Poly1305, RFC 8439 §2.8.2', () => {
    const key = count(0x80, 32);
    const nonce = hex('07000000 4041424344454647');
    const associated = hex('50515253c0c1c2c3c4c5c6c7');
    const plaintext = utf8(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    );
    const sealed = hex(`
      d31a8d34648e60db7b86afbc53ef7ec2 a4aded51296e08fea9e2b5a736ee62d6 3dbea45e8ca9671282fafb69da92728b
      1a71de0a9e060b2905d6a5b67ecd3b36 92ddbd7f2d778b8c9803aee328091b58 fab324e4fad675945585808b4831d7bc
      3ff4def08e4b7a9de576d26586cec64b 6116 1ae10b594f09e26a7e902ecbd0600691`);
    expect(backend.chacha20Poly1305.seal(key, nonce, associated, plaintext)).toEqual(sealed);
    expect(backend.chacha20Poly1305.open(key, nonce, associated, sealed)).toEqual(plaintext);
  });

  test('X25519, RFC 7748 §6.1', () => {
    const alice = hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
    const bob = hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
    expect(toHex(backend.x25519.publicKey(alice))).toBe('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(toHex(backend.x25519.publicKey(bob))).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    const shared = hex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742');
    expect(backend.x25519.shared(alice, backend.x25519.publicKey(bob))).toEqual(shared);
    expect(backend.x25519.shared(bob, backend.x25519.publicKey(alice))).toEqual(shared);
  });

  test('Ed25519, RFC 8032 §7.1 test 2', () => {
    const seed = hex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
    const publicKey = hex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
    const signature = hex(`92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
                           085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00`);
    expect(backend.ed25519.publicKey(seed)).toEqual(publicKey);
    expect(backend.ed25519.sign(seed, hex('72'))).toEqual(signature);
    expect(backend.ed25519.verify(publicKey, hex('72'), signature)).toBe(true);
    expect(backend.ed25519.verify(publicKey, hex('73'), signature)).toBe(false);
  });

  test('ECDSA on P-256 with SHA-256, RFC 6979 appendix A.2.5, whose s is above n/2', () => {
    const secret = hex('C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721');
    const publicKey = hex(`04 60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6
                              7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299`);
    const signature = hex(`EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
                           F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8`);
    expect(backend.p256.publicKey(secret)).toEqual(publicKey);
    expect(backend.p256.verify(publicKey, utf8('sample'), signature)).toBe(true);
    expect(backend.p256.verify(publicKey, utf8('simple'), signature)).toBe(false);
  });

  test('ML-DSA-65, Wycheproof mldsa_65_sign_seed tcId 1 and 3: key generation and verification', () => {
    const publicKey = backend.mlDsa65.publicKey(dsaSeed);
    expect(digest(publicKey)).toBe('b7acce2ddb11f8cc1aa46e2bafac6eacfa2b732ef192bd636ad8d3a56d649c66');
    const plain = nobleCrypto.mlDsa65.signDeterministic(dsaSeed, helloWorld) ?? new Uint8Array(0);
    const inContext = nobleCrypto.mlDsa65.signDeterministic(dsaSeed, helloWorld, utf8('Context')) ?? new Uint8Array(0);
    expect(digest(plain)).toBe('39fbbb0d97a52c79844213b325af823a7f16a174e00a5b3daeb3e6e6d1c89681');
    expect(digest(inContext)).toBe('c32dd9c1fdb53c049ebb75d98604d27593e32f5da2b1201c9289692de6ebea2e');
    expect(backend.mlDsa65.verify(publicKey, helloWorld, plain)).toBe(true);
    expect(backend.mlDsa65.verify(publicKey, helloWorld, plain, utf8('Context'))).toBe(false);
    expect(backend.mlDsa65.verify(publicKey, helloWorld, inContext, utf8('Context'))).toBe(true);
    expect(backend.mlDsa65.verify(publicKey, helloWorld, inContext)).toBe(false);
  });

  test('ML-KEM-768, Wycheproof mlkem_768 tcId 2 (round 3 seed 0)', () => {
    expect(digest(backend.mlKem768.publicKey(kemSeed))).toBe('86adbca81f4fee893e2fb58fb98aa2fe188f501fed268d7f4056f8c05c4e53c4');
    const made = nobleCrypto.mlKem768.encapsulateSeeded(
      backend.mlKem768.publicKey(kemSeed),
      hex('147c03f7a5bebba406c8fae1874d7f13c80efe79a3a9a874cc09fe76f6997615'),
    );
    expect(digest(made?.ciphertext)).toBe('36829a2f35cbf4deb62c0a12a15c22dae9f8d2c252566fc24f88abe805cb575e');
    const shared = hex('e7184a0975ee3470878d2d159ec83129c8aec253d4ee17b4810311d198cd0368');
    expect(made?.shared).toEqual(shared);
    expect(backend.mlKem768.decapsulate(kemSeed, made?.ciphertext ?? new Uint8Array(0))).toEqual(shared);
  });

  test('X-Wing, the first vector of draft-connolly-cfrg-xwing-kem-10', () => {
    const kem = xWing(backend, { bytes: (length) => new Uint8Array(length) });
    const seeded = xWing(nobleCrypto, { bytes: (length) => new Uint8Array(length) });
    const seed = hex('7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26');
    const eseed = concat(
      hex('3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2'),
      hex('35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2'),
    );
    const publicKey = kem.publicKey(seed);
    expect(digest(publicKey)).toBe('2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb');
    const made = seeded.encapsulateSeeded?.(publicKey, eseed);
    expect(digest(made?.ciphertext)).toBe('17cd532d657e44c897ca6583e548a5424fc70bf54f99515a4d2bcf99e3469f33');
    const shared = hex('d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384');
    expect(made?.shared).toEqual(shared);
    expect(kem.decapsulate(seed, made?.ciphertext ?? new Uint8Array(0))).toEqual(shared);
  });
});

test('ECDSA by noble has the nonce of RFC 6979, so its signature is the published one', () => {
  const secret = hex('C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721');
  expect(nobleCrypto.p256.sign(secret, utf8('sample'))).toEqual(
    hex(`EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
         F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8`),
  );
});

test('ML-DSA-65 signs a representative, Wycheproof mldsa_65_sign_seed tcId 68 (ACVP, rejection cases)', () => {
  const signature = nobleCrypto.mlDsa65.signRepresentative(
    hex('464756a985e5df03739d95dd309c1ed9c5b04254cc294e7e7eb9b9365ee15117'),
    hex(`bcbed96ad917133fbecd0de58dfbd124d66887009814dc4ad756992c9c23af9b
         7e0f08c34d87f29f89256112e827e66c36bcc107eb99aff5fd4d254754c1f9e3`),
  );
  expect(digest(signature)).toBe('8e08ea0c8db941685b9905a73b0b57bad3500b1f73490480b24375b41230cc04');
});

const dsaSeed = new Uint8Array(32).fill(0x2a);
const helloWorld = utf8('Hello world');
const kemSeed = hex(`7c9935a0b07694aa0c6d10e4db6b1add2fd81a25ccb148032dcd739936737f2d
                     8626ed79d451140800e03b59b956f8210e556067407d13dc90fa9e8b872bfb8f`);
