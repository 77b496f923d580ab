import { describe, expect, test } from 'vitest';
import { concat, toHex, utf8 } from '#hal/core/bytes';
import { codeOf, unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import type { CryptoBackend, Encapsulation } from './backend.ts';
import { straightKk } from './enigm-kk-hfs-1.fixture.ts';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import { Handshake } from './noise.ts';
import { enigmKkHfs1, enigmXxHfs1 } from './noise-patterns.ts';

const backends: readonly CryptoBackend[] = [nodeCrypto, nobleCrypto];
const none = new Uint8Array(0);

const secretsOf = (seed: string) => {
  const random = seededRandom(seed);
  return {
    prologue: random.bytes(24),
    psk: random.bytes(32),
    initiatorStatic: random.bytes(32),
    responderStatic: random.bytes(32),
    initiatorEphemeral: random.bytes(32),
    responderEphemeral: random.bytes(32),
    kemSeed: random.bytes(64),
    kemRandomness: random.bytes(32),
  };
};
type Secrets = ReturnType<typeof secretsOf>;

/** Gives these byte strings in turn. */
const script = (...parts: readonly Uint8Array[]) => {
  const rest = [...parts];
  return { bytes: (count: number): Uint8Array => rest.shift() ?? expect.fail(`no ${count} bytes left`) };
};

/** noble with the randomness of encapsulation fixed, to have one set of bytes. */
const seeded = (randomness: Uint8Array): CryptoBackend => ({
  ...nobleCrypto,
  mlKem768: {
    ...nobleCrypto.mlKem768,
    encapsulate: (key): Encapsulation | undefined => nobleCrypto.mlKem768.encapsulateSeeded(key, randomness),
  },
});

const kk = (a: CryptoBackend, b: CryptoBackend, all: Secrets, theirs: Partial<Secrets> = {}) => {
  const there = { ...all, ...theirs };
  const initiator = new Handshake(a, script(all.initiatorEphemeral, all.kemSeed), {
    pattern: enigmKkHfs1,
    role: 'initiator',
    prologue: all.prologue,
    staticSecret: all.initiatorStatic,
    remoteStatic: a.x25519.publicKey(all.responderStatic),
    psk: all.psk,
  });
  const responder = new Handshake(b, script(there.responderEphemeral), {
    pattern: enigmKkHfs1,
    role: 'responder',
    prologue: there.prologue,
    staticSecret: there.responderStatic,
    remoteStatic: b.x25519.publicKey(there.initiatorStatic),
    psk: there.psk,
  });
  return { initiator, responder };
};

describe('enigm-kk-hfs-1 (SR-29)', () => {
  test.each(['one', 'two', 'three', 'four'])('the walk over tokens and the straight writer give the same bytes (%s)', (seed) => {
    const all = secretsOf(seed);
    const expected = straightKk(all);
    const { initiator, responder } = kk(nodeCrypto, seeded(all.kemRandomness), all);
    const message1 = unwrap(initiator.write(none));
    expect(toHex(message1)).toBe(toHex(expected.message1));
    unwrap(responder.read(message1));
    const message2 = unwrap(responder.write(none));
    expect(toHex(message2)).toBe(toHex(expected.message2));
    unwrap(initiator.read(message2));
    const [a, b] = [initiator.finish(), responder.finish()];
    expect(a.hash).toEqual(expected.hash);
    expect([a.exportSecret('enigm next psk'), b.exportSecret('enigm next psk')]).toEqual([expected.nextPsk, expected.nextPsk]);
    expect([a.send.release(), b.send.release()]).toEqual([expected.initiatorKey, expected.responderKey]);
    expect([b.receive.release(), a.receive.release()]).toEqual([expected.initiatorKey, expected.responderKey]);
  });

  test('the bytes are frozen', () => {
    const { message1, message2, hash } = straightKk(secretsOf('frozen'));
    const digest = (bytes: Uint8Array) => toHex(nodeCrypto.hash('sha256', bytes));
    expect([message1.length, message2.length]).toEqual([1248, 1152]);
    expect([digest(message1), digest(message2), toHex(hash)]).toMatchInlineSnapshot(`
      [
        "ac0c793241350573bfb1414a24fcdc7af02c508175625e3f6f7d9115d13b6768",
        "96ee0e90c8e8e7d2792985ce582c947a6a36451830f36505857174aa7c9d64af",
        "bba0a74d5a7f85f44a5480f4358f57d3f927cd36c34f9b749b8df310b477ca8c",
      ]
    `);
  });

  test.each(backends)('$name refuses every change of message 1 and of message 2', (backend) => {
    const all = secretsOf('changed');
    const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
    for (const at of [0, 31, 32, 700, 1231, 1232, 1247]) {
      const { initiator, responder } = kk(backend, backend, all);
      const refused = responder.read(flip(unwrap(initiator.write(none)), at));
      expect(refused.ok ? '' : codeOf(refused.fault)).toBe('integrity/decryption-failed');
      expect(() => responder.write(none)).toThrow('in turn');
    }
    for (const at of [0, 32, 1000, 1135, 1136, 1151]) {
      const { initiator, responder } = kk(backend, backend, all);
      unwrap(responder.read(unwrap(initiator.write(none))));
      expect(initiator.read(flip(unwrap(responder.write(none)), at)).ok).toBe(false);
    }
  });

  test.each([
    ['psk', { psk: new Uint8Array(32) }],
    ['prologue', { prologue: utf8('another') }],
    ['static key of the host', { initiatorStatic: new Uint8Array(32).fill(3) }],
    ['static key of the Key', { responderStatic: new Uint8Array(32).fill(3) }],
  ])('another %s is refused at message 1', (_name, theirs) => {
    const { initiator, responder } = kk(nodeCrypto, nodeCrypto, secretsOf('other'), theirs);
    expect(responder.read(unwrap(initiator.write(none))).ok).toBe(false);
  });

  test.each(backends)('$name refuses truncated messages and points of small order', (backend) => {
    const all = secretsOf('short');
    const { initiator, responder } = kk(backend, backend, all);
    const message1 = unwrap(initiator.write(none));
    expect(responder.read(message1.subarray(0, 31)).ok).toBe(false);
    const second = kk(backend, backend, all).responder;
    const refused = second.read(concat(new Uint8Array(32), message1.subarray(32)));
    expect(refused.ok ? '' : codeOf(refused.fault)).toBe('integrity/peer-key-invalid');
  });

  test('a KEM key with a coefficient of q or more is refused by the check of FIPS 203 §7.2', () => {
    const all = secretsOf('kem');
    const broken = { ...nodeCrypto.mlKem768, publicKey: () => new Uint8Array(1184).fill(0xff) };
    const { initiator, responder } = kk({ ...nodeCrypto, mlKem768: broken }, nodeCrypto, all);
    unwrap(responder.read(unwrap(initiator.write(none))));
    const refused = responder.write(none);
    expect(refused.ok ? '' : codeOf(refused.fault)).toBe('integrity/peer-key-invalid');
  });
});

describe.each(backends)('enigm-xx-hfs-1 on $name', (backend) => {
  test('teaches both sides the static key of the other, under one psk only', () => {
    const all = secretsOf('xx');
    const side = (role: 'initiator' | 'responder', psk: Uint8Array) =>
      new Handshake(backend, seededRandom(role), {
        pattern: enigmXxHfs1,
        role,
        prologue: all.prologue,
        staticSecret: role === 'initiator' ? all.initiatorStatic : all.responderStatic,
        psk,
      });
    const [host, key] = [side('initiator', all.psk), side('responder', all.psk)];
    const first = unwrap(host.write(none));
    unwrap(key.read(first));
    unwrap(host.read(unwrap(key.write(none))));
    unwrap(key.read(unwrap(host.write(none))));
    expect(host.finish().remoteStatic).toEqual(backend.x25519.publicKey(all.responderStatic));
    expect(key.finish().remoteStatic).toEqual(backend.x25519.publicKey(all.initiatorStatic));
    expect(key.finish().hash).toEqual(host.finish().hash);
    expect(side('responder', new Uint8Array(32)).read(first).ok).toBe(false);
  });

  test('a handshake goes in turn and needs the keys of its pattern', () => {
    const options = { pattern: enigmXxHfs1, role: 'initiator', prologue: none } as const;
    expect(() => new Handshake(backend, seededRandom(1), options).read(none)).toThrow('in turn');
    expect(() => new Handshake(backend, seededRandom(1), options).write(none)).toThrow('needs psk');
    expect(() => new Handshake(backend, seededRandom(1), options).finish()).toThrow('not complete');
    expect(() => new Handshake(backend, seededRandom(1), { ...options, pattern: enigmKkHfs1 })).toThrow('static key');
  });
});
