/**
 * A contact's side, as reference: opens capsules, follows positions, answers, and forgets an event's keys at its end.
 *
 * Whoever plays back an old message gets the old answer and changes nothing. A position whose event is over cannot be
 * opened by anybody: its key is gone here, in the Key, and was never with the host.
 */
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { hpke, hpkeKemIds } from '#hal/crypto/hpke';
import { xWing } from '#hal/crypto/xwing';
import type { Random } from '#hal/ports/random';
import {
  type AckClass,
  type Battery,
  type Cut,
  capsuleExport,
  capsuleInfo,
  capsuleKeys,
  cutMessage,
  type Fix,
  openCapsule,
  openControl,
  openUpdate,
  type Purpose,
  sealAck,
  type Verb,
} from '../core/alert-format.ts';
import type { KeyCrypto } from '../core/crypto.ts';
import { toHex } from '../core/octets.ts';
import { chainStep } from '../core/ratchet.ts';
import { keyCrypto } from '../runtime/key-crypto.ts';

export interface ContactSecrets {
  /** Opaque, 16 bytes: names this contact to one Key. */
  readonly id: Uint8Array;
  /** X-Wing decapsulation key, 32 bytes. */
  readonly seed: Uint8Array;
  /** Shared with the Key at contact set-up, 32 bytes (SR-25). */
  readonly psk: Uint8Array;
}

export type News =
  | { readonly is: 'opened'; readonly event: string; readonly purpose: Purpose; readonly battery: Battery }
  | ({ readonly is: 'position'; readonly event: string; readonly index: number; readonly battery: Battery } & Fix)
  | { readonly is: 'ended'; readonly event: string; readonly verb: Verb }
  /** Under duress: help, and do not call back. */
  | { readonly is: 'duress'; readonly event: string }
  | { readonly is: 'again'; readonly event: string };

export interface Received {
  readonly news: News;
  /** For the Key; positions are not answered. */
  readonly ack?: Uint8Array;
}

export const contactLimits = { events: 16, skippedKeys: 64, skip: 4096, answers: 128, longestMs: 90_000_000 } as const;

/** Detail of a refusal: the event was not opened here (yet), or so long ago that nothing of it is left. */
export const unknownEvent = 'no such event';

interface Followed {
  readonly control: Uint8Array;
  readonly ack: Uint8Array;
  readonly opening: number;
  chainKey: Uint8Array;
  index: number;
  readonly skipped: Map<number, Uint8Array>;
  counter: number;
}

interface Known {
  readonly sinceMs: number;
  /** Gone when the event is over. */
  followed: Followed | undefined;
  /** By sequence number: the same message gets the same answer. */
  readonly answers: Map<number, Uint8Array>;
}

export class Contact {
  private readonly secrets: ContactSecrets;
  private readonly crypto: KeyCrypto;
  private readonly suite: ReturnType<typeof hpke>;
  private readonly events = new Map<string, Known>();

  constructor(backend: CryptoBackend, random: Random, secrets: ContactSecrets) {
    this.secrets = secrets;
    this.crypto = keyCrypto(backend, new Uint8Array(32), 1);
    this.suite = hpke(backend, hpkeKemIds.mlkem768X25519, xWing(backend, random));
  }

  /** For contact set-up. */
  get publicKey(): Uint8Array {
    return this.suite.kem.publicKey(this.secrets.seed);
  }

  /**
   * @returns what it says and the answer for the Key; or `protocol/malformed`, `integrity/decryption-failed` (also for
   * an event that is over or was never opened), `resource/count-limit`
   */
  receive(message: Uint8Array, atMs: number): Result<Received> {
    this.forgetOld(atMs);
    const cut = cutMessage(message);
    if (cut === undefined) return deny('protocol', 'malformed', 'alert message');
    const event = toHex(cut.event);
    const known = this.events.get(event);
    const before = known?.answers.get(cut.sequence);
    if (before !== undefined) return ok({ news: { is: 'again', event }, ack: before });
    if (cut.type === 'capsule') return this.open(cut, event, atMs);
    if (known === undefined) return deny('integrity', 'decryption-failed', unknownEvent);
    if (known.followed === undefined) return deny('integrity', 'decryption-failed', 'the event is over');
    return cut.type === 'control' ? this.end(cut, event, known, known.followed) : this.locate(cut, event, known.followed);
  }

  /** A person's own answer: SEEN, RESPONDING, RESOLVED. @returns undefined for an event that is over */
  answer(event: string, ackClass: AckClass): Uint8Array | undefined {
    const followed = this.events.get(event)?.followed;
    return followed && this.ack(event, followed, followed.opening, ackClass);
  }

  /** The person has put the event away: nothing of it can be opened from here on. */
  close(event: string): void {
    const known = this.events.get(event);
    if (known?.followed !== undefined) forget(known);
  }

  private open(cut: Extract<Cut, { type: 'capsule' }>, event: string, atMs: number): Result<Received> {
    if (this.events.has(event)) return deny('integrity', 'decryption-failed', 'the event has been opened');
    if (this.events.size >= contactLimits.events) return deny('resource', 'count-limit', 'events');
    const psk = { psk: this.secrets.psk, id: this.secrets.id };
    const context = this.suite.receiver(cut.enc, this.secrets.seed, capsuleInfo, psk);
    if (!context.ok) return context;
    const keys = capsuleKeys(this.crypto, context.value.exportSecret(capsuleExport, 32));
    context.value.wipe();
    const opening = openCapsule(this.crypto, keys.open, cut);
    if (opening === undefined) return deny('integrity', 'decryption-failed', 'capsule');
    const followed: Followed = {
      control: keys.control,
      ack: keys.ack,
      opening: cut.sequence,
      chainKey: opening.chainKey,
      index: opening.index,
      skipped: new Map(),
      counter: 0,
    };
    const known: Known = { sinceMs: atMs, followed, answers: new Map() };
    this.events.set(event, known);
    const { purpose, battery } = opening;
    return ok({ news: { is: 'opened', event, purpose, battery }, ack: this.delivered(known, event, followed, cut.sequence) });
  }

  private end(cut: Cut, event: string, known: Known, followed: Followed): Result<Received> {
    const verb = openControl(this.crypto, followed.control, cut);
    if (verb === undefined) return deny('integrity', 'decryption-failed', 'control');
    const ack = this.delivered(known, event, followed, cut.sequence);
    if (verb === 'duress') return ok({ news: { is: 'duress', event }, ack });
    forget(known);
    return ok({ news: { is: 'ended', event, verb }, ack });
  }

  private locate(cut: Extract<Cut, { type: 'update' }>, event: string, followed: Followed): Result<Received> {
    const messageKey = this.messageKey(followed, cut.index);
    const fix = messageKey && openUpdate(this.crypto, messageKey, cut);
    if (fix === undefined) return deny('integrity', 'decryption-failed', 'position');
    if (cut.index >= followed.index) this.advance(followed, cut.index + 1);
    followed.skipped.delete(cut.index);
    return ok({ news: { is: 'position', event, index: cut.index, ...fix } });
  }

  /** Without moving: a forged index must not cost the chain. */
  private messageKey(followed: Followed, index: number): Uint8Array | undefined {
    if (index < followed.index) return followed.skipped.get(index);
    if (index - followed.index > contactLimits.skip) return undefined;
    let { chainKey } = followed;
    for (let at = followed.index; at < index; at++) chainKey = chainStep(this.crypto, chainKey).next;
    return chainStep(this.crypto, chainKey).messageKey;
  }

  private advance(followed: Followed, index: number): void {
    for (; followed.index < index; followed.index++) {
      const { messageKey, next } = chainStep(this.crypto, followed.chainKey);
      followed.skipped.set(followed.index, messageKey);
      followed.chainKey = next;
      const [oldest] = followed.skipped.keys();
      if (followed.skipped.size > contactLimits.skippedKeys && oldest !== undefined) followed.skipped.delete(oldest);
    }
  }

  private delivered(known: Known, event: string, followed: Followed, sequence: number): Uint8Array {
    const ack = this.ack(event, followed, sequence, 'delivered');
    known.answers.set(sequence, ack);
    const [oldest] = known.answers.keys();
    if (known.answers.size > contactLimits.answers && oldest !== undefined) known.answers.delete(oldest);
    return ack;
  }

  private ack(event: string, followed: Followed, sequence: number, ackClass: AckClass): Uint8Array {
    followed.counter += 1;
    const bytes = new Uint8Array(Buffer.from(event, 'hex'));
    const { counter } = followed;
    return sealAck(this.crypto, followed.ack, { event: bytes, contact: this.secrets.id, counter, sequence, ackClass });
  }

  private forgetOld(atMs: number): void {
    for (const [event, known] of this.events) {
      if (atMs - known.sinceMs <= contactLimits.longestMs) continue;
      forget(known);
      this.events.delete(event);
    }
  }
}

const forget = (known: Known): void => {
  const { followed } = known;
  if (followed === undefined) return;
  for (const secret of [followed.control, followed.ack, followed.chainKey, ...followed.skipped.values()]) secret.fill(0);
  known.followed = undefined;
};
