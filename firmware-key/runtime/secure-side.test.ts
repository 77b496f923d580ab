import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryStore } from '#hal/memory/durable-store';
import { seededRandom } from '#hal/memory/random';
import { handshakeTypes } from '../core/handshake-messages.ts';
import { HostSide } from '../host/host-side.ts';
import { type HandshakeAnswer, maxPairingTries, type SecureSide, secureSide } from './secure-side.ts';

const cardSecret = new Uint8Array(16).fill(7);

/** One Key's vault and one host's, over any number of starts of either. */
const couple = () => {
  const [vault, hostDisk] = [new Map<string, Uint8Array>(), new Map<string, Uint8Array>()];
  let starts = 0;
  const key = (): SecureSide => {
    starts += 1;
    const random = seededRandom(`key ${starts}`);
    return secureSide({ backend: nodeCrypto, random, store: memoryStore(vault), transport: 'serial', pinRounds: 3, cardSecret });
  };
  const host = () => {
    starts += 1;
    const random = seededRandom(`host ${starts}`);
    return unwrap(HostSide.open({ backend: nodeCrypto, random, store: memoryStore(hostDisk), transport: 'serial' }));
  };
  return { key, host, vault };
};

const reply = (answer: HandshakeAnswer): Uint8Array => answer.reply ?? expect.fail(answer.outcome);
const hello = (key: SecureSide): Uint8Array => reply(key.handshake(Uint8Array.of(handshakeTypes.hello), false, 0)).slice(1);

/** The host's three messages of pairing against the Key. */
const pair = (host: HostSide, key: SecureSide, secret: Uint8Array, atMs = 0) => {
  const pairing = host.pairing(hello(key), secret);
  const shared = key.handshake(pairing.share(), true, atMs);
  if (shared.reply === undefined) return shared;
  const first = pairing.first(shared.reply);
  const second = key.handshake(unwrap(first), true, atMs);
  if (second.reply === undefined) return second;
  const last = unwrap(pairing.last(second.reply));
  return { ...key.handshake(last.message, true, atMs), host: last };
};

const resume = (host: HostSide, key: SecureSide) => {
  const resumption = unwrap(host.resumption(hello(key)));
  const answer = key.handshake(resumption.message, false, 0);
  return { answer, finish: () => unwrap(resumption.finish(reply(answer))) };
};

describe('pairing (SR-28)', () => {
  test('with the card secret gives both sides the same session and destroys the secret', () => {
    const { key, host, vault } = couple();
    const keySide = key();
    const paired = pair(host(), keySide, cardSecret);
    expect(paired).toMatchObject({ outcome: 'paired' });
    if (!('host' in paired)) expect.fail();
    expect([paired.sendKey, paired.receiveKey]).toEqual([paired.host.receiveKey, paired.host.sendKey]);
    expect(Buffer.from(vault.get('key-vault') ?? []).toString()).not.toContain('07'.repeat(16));
    expect(pair(host(), keySide, cardSecret)).toMatchObject({ outcome: 'failed' });
  });

  test('with a code that the wearer types replaces the host; the code is good for one try', () => {
    const { key, host } = couple();
    const keySide = key();
    pair(host(), keySide, cardSecret);
    const code = Uint8Array.of(4, 7, 1, 1, 8, 0, 2, 5);
    keySide.enterCode(code);
    expect(pair(host(), keySide, Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1))).toMatchObject({ outcome: 'failed' });
    expect(pair(host(), keySide, code)).toMatchObject({ outcome: 'failed' });
    keySide.enterCode(code);
    expect(pair(host(), keySide, code)).toMatchObject({ outcome: 'paired' });
  });

  test('every try counts before it is answered; the waits grow, and the fifth burns the card', () => {
    const { key, host, vault } = couple();
    const wrong = new Uint8Array(16).fill(8);
    let atMs = 0;
    for (let tries = 1; tries <= maxPairingTries; tries++) {
      expect(pair(host(), key(), wrong, atMs).outcome).toBe('failed'); // each on a Key that has just lost power
      expect(Buffer.from(vault.get('key-vault') ?? []).toString()).toContain(`"tries":${tries}`);
      if (tries >= 2) expect(key().handshake(host().pairing(hello(key()), wrong).share(), true, atMs).outcome).toBe('failed');
      atMs += 700_000;
    }
    expect(pair(host(), key(), cardSecret, atMs).outcome).toBe('failed');
  });

  test('answers nothing out of turn, of another kind, or outside of pairing', () => {
    const { key, host } = couple();
    const keySide = key();
    const share = host().pairing(hello(keySide), cardSecret).share();
    expect(keySide.handshake(share, false, 0).outcome).toBe('failed');
    for (const type of [handshakeTypes.xx1, handshakeTypes.xx3, handshakeTypes.kk2, 0, 200])
      expect(keySide.handshake(Uint8Array.of(type, 1, 2, 3), true, 0)).toEqual({ is: 'handshake', outcome: 'failed' });
    expect(keySide.handshake(share.subarray(0, 20), true, 0).outcome).toBe('failed');
    expect(keySide.handshake(new Uint8Array(0), true, 0).outcome).toBe('failed');
  });

  test('a share of small order is refused', () => {
    const { key, host } = couple();
    const keySide = key();
    const share = host().pairing(hello(keySide), cardSecret).share();
    share.fill(0, 17);
    expect(keySide.handshake(share, true, 0).outcome).toBe('failed');
  });
});

describe('resumption (SR-29)', () => {
  const paired = () => {
    const both = couple();
    pair(both.host(), both.key(), cardSecret);
    return both;
  };

  test('gives both sides the same session, again and again', () => {
    const { key, host } = paired();
    for (let round = 0; round < 4; round++) {
      const keySide = key();
      const hostSide = host();
      const { answer, finish } = resume(hostSide, keySide);
      const session = finish();
      expect([answer.sendKey, answer.receiveKey]).toEqual([session.receiveKey, session.sendKey]);
      if (round % 2 === 0) keySide.confirm();
      if (round % 2 === 0) hostSide.confirm();
    }
  });

  test('a lost second message, on either side of a restart, costs nothing: the psk before is still there', () => {
    const { key, host } = paired();
    for (let lost = 0; lost < 5; lost++) resume(host(), key()); // the Key has moved on, the host has not
    expect(resume(host(), key()).finish().sendKey).toHaveLength(32);
  });

  test('a message 1 played back by somebody else locks nobody out', () => {
    const { key, host } = paired();
    const keySide = key();
    const hostSide = host();
    const first = unwrap(hostSide.resumption(hello(keySide)));
    unwrap(first.finish(reply(keySide.handshake(first.message, false, 0))));
    keySide.handshake(first.message, false, 0); // played back: another psk on the Key, none confirmed
    const answers = [0, 1].map(() => keySide.handshake(unwrap(hostSide.resumption(hello(keySide))).message, false, 0).outcome);
    expect(answers).toContain('session');
  });

  test('a stranger, another boot and another transport are not answered', () => {
    const { key, host } = paired();
    const stranger = paired();
    expect(resume(stranger.host(), key()).answer.outcome).toBe('failed');
    const message = unwrap(host().resumption(hello(key()))).message;
    expect(key().handshake(message, false, 0).outcome).toBe('failed');
    expect(key().handshake(message, true, 0).outcome).toBe('failed');
  });

  test('a host that was never paired has nothing to begin with', () => {
    const { host, key } = couple();
    expect(host().resumption(hello(key()))).toMatchObject({ fault: { reason: 'key-not-paired' } });
  });
});

test('a PIN costs the same whatever it is, and its tag depends on the device', () => {
  const { key } = couple();
  const other = couple().key();
  const salt = new Uint8Array(16);
  expect(key().crypto.pinTag(salt, Uint8Array.of(1, 2, 3, 4))).toHaveLength(32);
  expect(key().crypto.pinTag(salt, Uint8Array.of(1, 2, 3, 4))).toEqual(key().crypto.pinTag(salt, Uint8Array.of(1, 2, 3, 4)));
  expect(other.crypto.pinTag(salt, Uint8Array.of(1, 2, 3, 5))).not.toEqual(other.crypto.pinTag(salt, Uint8Array.of(1, 2, 3, 4)));
});
