/**
 * The host's half of the handshakes, and what it keeps between them: its static key, the Key's, and the psk of the next
 * session. Initiator always, so that the Key only encapsulates.
 */
import { concat, wipe } from '#hal/core/bytes';
import { attempt, deny, ok, type Result, unwrap } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { cpaceFinish, cpaceStart } from '#hal/crypto/cpace';
import { Handshake } from '#hal/crypto/noise';
import { enigmKkHfs1, enigmXxHfs1 } from '#hal/crypto/noise-patterns';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Random } from '#hal/ports/random';
import {
  advertisingLabel,
  handshakeTypes,
  nextPskLabel,
  pairingInputs,
  pairingPskLabel,
  prologue,
  sessionIdBytes,
  type Transport,
} from '../core/handshake-messages.ts';
import { ascii } from '../core/octets.ts';
import { decodeValue, encodeValue } from '../core/records.ts';

export interface HostOptions {
  readonly backend: CryptoBackend;
  readonly random: Random;
  /** Of whoever protects the device's secrets. */
  readonly store: Pick<DurableStore, 'get' | 'put'>;
  readonly transport: Transport;
}

export interface SessionKeys {
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
}

export interface Pairing {
  /** First to send; the answer goes to `first`, and so on. */
  share(): Uint8Array;
  first(reply: Uint8Array): Result<Uint8Array>;
  last(reply: Uint8Array): Result<SessionKeys & { readonly message: Uint8Array }>;
}

export interface Resumption {
  readonly message: Uint8Array;
  finish(reply: Uint8Array): Result<SessionKeys>;
}

interface Kept {
  readonly staticSecret: Uint8Array;
  readonly keyStatic?: Uint8Array;
  /** Newest first; two until a frame of the newest session has opened (SR-29). */
  readonly psks: readonly Uint8Array[];
  readonly advertisingKey?: Uint8Array;
}

/** Name of the one value that is kept: whatever is there is of a pairing. */
export const pairingRecord = 'key-host';
const none = new Uint8Array(0);
const unexpected = deny('protocol', 'malformed', 'another message of the handshake was expected');

export class HostSide {
  private readonly options: HostOptions;
  private kept: Kept;
  /** Which psk the next attempt uses: the other one after each attempt without an answer. */
  private attempts = 0;

  private constructor(options: HostOptions, kept: Kept) {
    this.options = options;
    this.kept = kept;
  }

  /** @returns the side as it was left, a new one where nothing is kept, a fault of the store, or `integrity/pairing-unreadable` */
  static open(options: HostOptions): Result<HostSide> {
    const bytes = options.store.get(pairingRecord);
    if (!bytes.ok) return bytes;
    if (bytes.value === undefined) return ok(HostSide.anew(options));
    const text = Buffer.from(bytes.value).toString('latin1');
    const kept = attempt(
      () => keptIn(decodeValue(text)),
      () => deny('integrity', 'pairing-unreadable', 'not as it was written'),
    );
    return kept.ok ? ok(new HostSide(options, kept.value)) : kept;
  }

  /** A side without a Key. What is kept stays until a Key is paired with this one. */
  static anew(options: HostOptions): HostSide {
    return new HostSide(options, { staticSecret: options.random.bytes(32), psks: [] });
  }

  get isPaired(): boolean {
    return this.kept.keyStatic !== undefined;
  }

  /** A frame of the session has opened: the psk before it is not needed any more. */
  confirm(): void {
    this.keep({ psks: this.kept.psks.slice(0, 1) });
  }

  /**
   * @param bootId the Key's, from its answer to hello
   * @param secret the card's bytes, or the digits that the wearer types on the Key
   */
  pairing(bootId: Uint8Array, secret: Uint8Array): Pairing {
    const { backend, random, transport } = this.options;
    const sessionId = random.bytes(sessionIdBytes);
    const inputs = pairingInputs(secret, transport, bootId, sessionId);
    const own = cpaceStart(backend, inputs, ascii('host'), random);
    let handshake: Handshake | undefined;
    return {
      share: () => concat(Uint8Array.of(handshakeTypes.share), sessionId, own.share),
      first: (reply) => {
        if (reply[0] !== handshakeTypes.shareReply) return unexpected;
        const peer = { share: reply.slice(1), associated: ascii('key') };
        const isk = cpaceFinish(backend, inputs, 'initiator', own, peer);
        if (!isk.ok) return isk;
        handshake = new Handshake(backend, random, {
          pattern: enigmXxHfs1,
          role: 'initiator',
          prologue: prologue(transport, bootId, sessionId),
          staticSecret: this.kept.staticSecret,
          psk: backend.hash('sha256', pairingPskLabel, isk.value),
        });
        wipe(isk.value);
        return typed(handshakeTypes.xx1, handshake.write(none));
      },
      last: (reply) => {
        if (handshake === undefined || reply[0] !== handshakeTypes.xx2) return unexpected;
        const read = handshake.read(reply.slice(1));
        const message = read.ok ? typed(handshakeTypes.xx3, handshake.write(none)) : read;
        if (!message.ok) return message;
        const finished = handshake.finish();
        this.keep({
          psks: [finished.exportSecret(nextPskLabel)],
          advertisingKey: finished.exportSecret(advertisingLabel),
          ...(finished.remoteStatic && { keyStatic: finished.remoteStatic }),
        });
        return ok({ message: message.value, sendKey: finished.send.release(), receiveKey: finished.receive.release() });
      },
    };
  }

  /** enigm-kk-hfs-1. @returns `identity/key-not-paired` where there is no Key to resume with */
  resumption(bootId: Uint8Array): Result<Resumption> {
    const { backend, random, transport } = this.options;
    const { keyStatic, psks, staticSecret } = this.kept;
    const psk = psks[this.attempts % Math.max(1, psks.length)];
    if (keyStatic === undefined || psk === undefined) return deny('identity', 'key-not-paired');
    this.attempts += 1;
    const handshake = new Handshake(backend, random, {
      pattern: enigmKkHfs1,
      role: 'initiator',
      prologue: prologue(transport, bootId),
      staticSecret,
      remoteStatic: keyStatic,
      psk,
    });
    const message = typed(handshakeTypes.kk1, handshake.write(none));
    if (!message.ok) return message;
    return ok({
      message: message.value,
      finish: (reply) => {
        if (reply[0] !== handshakeTypes.kk2) return unexpected;
        const read = handshake.read(reply.slice(1));
        if (!read.ok) return read;
        const finished = handshake.finish();
        this.keep({ psks: [finished.exportSecret(nextPskLabel), psk] });
        this.attempts = 0;
        return ok({ sendKey: finished.send.release(), receiveKey: finished.receive.release() });
      },
    });
  }

  private keep(change: Partial<Kept>): void {
    this.kept = { ...this.kept, ...change };
    unwrap(this.options.store.put(pairingRecord, ascii(encodeValue(this.kept))));
  }
}

/** The keys of Curve25519 and the psks are of one size. */
const isKey = (value: unknown): value is Uint8Array => value instanceof Uint8Array && value.length === 32;

/** @throws where it is not a record as `keep` writes it */
const keptIn = (value: unknown): Kept => {
  const { staticSecret, keyStatic, psks, advertisingKey } = value as Partial<Kept>;
  const isPsks = Array.isArray(psks) && psks.length <= 2 && psks.every(isKey);
  if (!isKey(staticSecret) || !isPsks || ![keyStatic, advertisingKey].every((key) => key === undefined || isKey(key)))
    throw new Error('no record of a pairing');
  return { staticSecret, psks, ...(keyStatic && { keyStatic }), ...(advertisingKey && { advertisingKey }) };
};

const typed = (type: number, message: Result<Uint8Array>): Result<Uint8Array> =>
  message.ok ? ok(concat(Uint8Array.of(type), message.value)) : message;
