/**
 * The secure side: long-lived secrets, randomness and public-key cryptography. On the board this is the C image behind
 * TrustZone (SR-30); here it is the same contract over a crypto back end. The thinking side never sees a static key, a
 * psk, a contact's secret or the device key.
 *
 * Every counter and key is durable before the answer that depends on it leaves (SR-28).
 */
import { concat, wipe } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { cpaceFinish, cpaceStart } from '#hal/crypto/cpace';
import { hpke, hpkeKemIds } from '#hal/crypto/hpke';
import { Handshake } from '#hal/crypto/noise';
import { enigmKkHfs1, enigmXxHfs1 } from '#hal/crypto/noise-patterns';
import { xWing } from '#hal/crypto/xwing';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Random } from '#hal/ports/random';
import { capsuleExport, capsuleInfo } from '../core/alert-format.ts';
import type { KeyCrypto } from '../core/crypto.ts';
import {
  advertisingLabel,
  bootIdBytes,
  handshakeTypes,
  nextPskLabel,
  pairingInputs,
  pairingPskLabel,
  prologue,
  sessionIdBytes,
  type Transport,
} from '../core/handshake-messages.ts';
import type { Capsule, Happening } from '../core/inputs.ts';
import { ascii, ofHex } from '../core/octets.ts';
import { decodeValue, encodeValue } from '../core/records.ts';
import { capsuleStore, capsulesPerContact } from './capsules.ts';
import { keyCrypto } from './key-crypto.ts';

export type HandshakeAnswer = Extract<Happening, { is: 'handshake' }>;

export interface SecureSide {
  readonly crypto: KeyCrypto;
  /** A message of channel 0, of at most a frame. */
  handshake(message: Uint8Array, isPairing: boolean, atMs: number): HandshakeAnswer;
  /** A frame of the session has opened: the psk before it is not needed any more. */
  confirm(): void;
  /** The wearer has typed the code that the host shows; good for one try. */
  enterCode(digits: Uint8Array): void;
  /** One capsule, out of the store or made now; undefined where the contact is not known or its key is refused. */
  prepare(contact: string, atMs: number): Capsule | undefined;
  /** Remake every capsule. */
  dock(atMs: number): void;
  /** Erase the capsules that are too old. */
  tidy(atMs: number): void;
  putContact(contact: string, publicKey: Uint8Array, psk: Uint8Array): void;
  forget(contact: string): void;
}

export interface SecureOptions {
  readonly backend: CryptoBackend;
  readonly random: Random;
  readonly store: DurableStore;
  readonly transport: Transport;
  /** HMACs for one PIN; the same for every PIN. */
  readonly pinRounds: number;
  /** Printed on the card of a new Key; written at the factory, gone after the first pairing. */
  readonly cardSecret?: Uint8Array;
}

/** After so many tries without a pairing the card secret is destroyed. */
export const maxPairingTries = 5;
/** How long after the n-th failed try the next one waits. */
const waitMs = [0, 0, 30_000, 120_000, 600_000] as const;

interface Vault {
  readonly deviceKey: Uint8Array;
  readonly staticSecret: Uint8Array;
  readonly hostKey?: Uint8Array;
  /** Newest first; two only until a session of the newest is confirmed (SR-29). */
  readonly psks: readonly Uint8Array[];
  readonly cardSecret?: Uint8Array;
  readonly tries: number;
  readonly triedMs: number;
  readonly contacts: { readonly [id: string]: { readonly publicKey: Uint8Array; readonly psk: Uint8Array } };
}

const record = 'key-vault';
const failed: HandshakeAnswer = { is: 'handshake', outcome: 'failed' };
const none = new Uint8Array(0);

/** @throws where the store does not work: a Key without its secrets must not run */
export const secureSide = (options: SecureOptions): SecureSide => {
  const { backend, random, store, transport } = options;
  const suite = hpke(backend, hpkeKemIds.mlkem768X25519, xWing(backend, random));
  const bootId = random.bytes(bootIdBytes);
  let vault = readVault(store) ?? fresh(options);
  const capsules = capsuleStore(store);
  let code: Uint8Array | undefined;
  let pairing: { readonly sessionId: Uint8Array; readonly psk: Uint8Array; readonly handshake?: Handshake } | undefined;

  const keep = (change: Partial<Vault>): void => {
    vault = { ...vault, ...change };
    unwrap(store.put(record, ascii(encodeValue(vault))));
  };
  if (readVault(store) === undefined) keep({});

  const makeCapsule = (contact: string): Capsule | undefined => {
    const known = vault.contacts[contact];
    const made = known && suite.sender(known.publicKey, capsuleInfo, { psk: known.psk, id: ofHex(contact) });
    if (!made?.ok) return undefined;
    const { enc, context } = made.value;
    const secret = context.exportSecret(capsuleExport, 32);
    context.wipe();
    return { enc, secret };
  };

  const answer = (type: number, body: Uint8Array, more: Omit<HandshakeAnswer, 'is' | 'reply'>): HandshakeAnswer => ({
    is: 'handshake',
    reply: concat(Uint8Array.of(type), body),
    ...more,
  });

  /** enigm-kk-hfs-1, responder: the newest psk first. */
  const resume = (message: Uint8Array): HandshakeAnswer => {
    const { hostKey } = vault;
    if (hostKey === undefined) return failed;
    for (const psk of vault.psks) {
      const handshake = new Handshake(backend, random, {
        pattern: enigmKkHfs1,
        role: 'responder',
        prologue: prologue(transport, bootId),
        staticSecret: vault.staticSecret,
        remoteStatic: hostKey,
        psk,
      });
      if (!handshake.read(message).ok) continue;
      const reply = handshake.write(none);
      if (!reply.ok) return failed;
      const finished = handshake.finish();
      keep({ psks: [finished.exportSecret(nextPskLabel), psk] });
      const keys = { sendKey: finished.send.release(), receiveKey: finished.receive.release() };
      return answer(handshakeTypes.kk2, reply.value, { outcome: 'session', ...keys });
    }
    return failed;
  };

  /** CPace with the typed code, or with the card secret of a new Key. The try counts before the answer leaves. */
  const share = (body: Uint8Array, atMs: number): HandshakeAnswer => {
    const secret = code ?? vault.cardSecret;
    code = undefined;
    const isTooSoon = atMs < vault.triedMs + (waitMs[Math.min(vault.tries, waitMs.length - 1)] ?? 0);
    if (secret === undefined || body.length !== sessionIdBytes + 32 || isTooSoon) return failed;
    const tries = vault.tries + 1;
    const { cardSecret: _burned, ...rest } = vault;
    if (tries >= maxPairingTries) vault = rest;
    keep({ tries, triedMs: atMs });
    const sessionId = body.slice(0, sessionIdBytes);
    const inputs = pairingInputs(secret, transport, bootId, sessionId);
    const own = cpaceStart(backend, inputs, ascii('key'), random);
    const peer = { share: body.slice(sessionIdBytes), associated: ascii('host') };
    const isk = cpaceFinish(backend, inputs, 'responder', own, peer);
    if (!isk.ok) return failed;
    pairing = { sessionId, psk: backend.hash('sha256', pairingPskLabel, isk.value) };
    wipe(isk.value);
    return answer(handshakeTypes.shareReply, own.share, { outcome: 'more' });
  };

  const pairFirst = (message: Uint8Array): HandshakeAnswer => {
    if (pairing === undefined || pairing.handshake !== undefined) return failed;
    const handshake = new Handshake(backend, random, {
      pattern: enigmXxHfs1,
      role: 'responder',
      prologue: prologue(transport, bootId, pairing.sessionId),
      staticSecret: vault.staticSecret,
      psk: pairing.psk,
    });
    const reply = handshake.read(message).ok ? handshake.write(none) : undefined;
    if (!reply?.ok) {
      pairing = undefined;
      return failed;
    }
    pairing = { ...pairing, handshake };
    return answer(handshakeTypes.xx2, reply.value, { outcome: 'more' });
  };

  /** The host has shown that it knows the secret: the card's is destroyed, and this host is the only one. */
  const pairLast = (message: Uint8Array): HandshakeAnswer => {
    const handshake = pairing?.handshake;
    pairing = undefined;
    if (handshake === undefined || !handshake.read(message).ok) return failed;
    const finished = handshake.finish();
    const { cardSecret: _destroyed, ...rest } = vault;
    vault = rest;
    keep({
      psks: [finished.exportSecret(nextPskLabel)],
      tries: 0,
      ...(finished.remoteStatic && { hostKey: finished.remoteStatic }),
    });
    return answer(handshakeTypes.done, none, {
      outcome: 'paired',
      sendKey: finished.send.release(),
      receiveKey: finished.receive.release(),
      advertisingKey: finished.exportSecret(advertisingLabel),
    });
  };

  return {
    crypto: keyCrypto(backend, vault.deviceKey, options.pinRounds),
    handshake(message, isPairing, atMs) {
      const body = message.slice(1);
      switch (message[0]) {
        case handshakeTypes.hello:
          return answer(handshakeTypes.helloReply, bootId, { outcome: 'more' });
        case handshakeTypes.kk1:
          return isPairing ? failed : resume(body);
        case handshakeTypes.share:
          return isPairing ? share(body, atMs) : failed;
        case handshakeTypes.xx1:
          return isPairing ? pairFirst(body) : failed;
        case handshakeTypes.xx3:
          return isPairing ? pairLast(body) : failed;
        default:
          return failed;
      }
    },
    confirm: () => keep({ psks: vault.psks.slice(0, 1) }),
    enterCode(digits) {
      code = digits;
    },
    prepare(contact, atMs) {
      const [stored, ...rest] = capsules.of(contact, atMs);
      if (stored === undefined) return makeCapsule(contact);
      capsules.keep(contact, rest); // erased before it is used
      return { enc: stored.enc, secret: stored.secret };
    },
    dock(atMs) {
      for (const contact of Object.keys(vault.contacts)) {
        const made = Array.from({ length: capsulesPerContact }, () => makeCapsule(contact));
        capsules.keep(
          contact,
          made.flatMap((capsule) => (capsule === undefined ? [] : [{ ...capsule, madeMs: atMs }])),
        );
      }
    },
    tidy(atMs) {
      for (const contact of Object.keys(vault.contacts)) capsules.dropOld(contact, atMs);
    },
    putContact(contact, publicKey, psk) {
      capsules.keep(contact, []); // capsules go when their contact changes (SR-26)
      keep({ contacts: { ...vault.contacts, [contact]: { publicKey, psk } } });
    },
    forget(contact) {
      capsules.keep(contact, []);
      const { [contact]: _gone, ...contacts } = vault.contacts;
      keep({ contacts });
    },
  };
};

const readVault = (store: DurableStore): Vault | undefined => {
  const bytes = unwrap(store.get(record));
  return bytes && (decodeValue(Buffer.from(bytes).toString('latin1')) as Vault);
};

const fresh = ({ random, cardSecret }: SecureOptions): Vault => ({
  deviceKey: random.bytes(32),
  staticSecret: random.bytes(32),
  psks: [],
  tries: 0,
  triedMs: 0,
  contacts: {},
  ...(cardSecret && { cardSecret }),
});
