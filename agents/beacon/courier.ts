/**
 * The courier as the relay sees it: somebody on the network who takes sealed parcels for contacts and gives back what
 * contacts answered. It knows opaque names, one size and times; it can open nothing.
 *
 * Answers come with each exchange. Nobody asks for them but while an alert goes on: after a message the courier is asked
 * every second, a minute later every five, and half an hour later no more.
 */
import type { Courier } from '#firmware-key/host/key-host';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { codeOf, done, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Exchange } from '#hal/ports/exchange';
import type { Messages } from '#protos/gen/types';
import { wrapParcel } from './parcel.ts';

export interface MailCourierParts {
  readonly exchange: Exchange;
  /** Opaque; where answers for this Key wait. Whoever knows it may fetch them. */
  readonly mailbox: Uint8Array;
  readonly clock: Clock;
  /** Hands one answer to the Key; refused ones are fetched again. */
  readonly onAnswer: (answer: Uint8Array) => Promise<Result<void>>;
}

export const askMs = { first: 1_000, firstFor: 60_000, later: 5_000, longest: 1_800_000 } as const;

/** Name of the courier among the endpoints of an exchange. */
export const courierEndpoint = 'courier';

export class MailCourier implements Courier {
  private readonly parts: MailCourierParts;
  private after = 0;
  private sentMs: number | undefined;
  /** One exchange at a time, so that answers reach the Key in their order. */
  private turn: Promise<unknown> = Promise.resolve();
  private stir = new AbortController();

  constructor(parts: MailCourierParts) {
    this.parts = parts;
  }

  async deliver(contact: Uint8Array, message: Uint8Array, signal: AbortSignal): Promise<Result<void>> {
    this.sentMs = this.parts.clock.bootMs();
    this.stir.abort();
    return this.talk({ contact, parcel: wrapParcel(message) }, signal);
  }

  /** @returns `''`, or the code with which an exchange is refused now */
  async probe(signal: AbortSignal): Promise<string> {
    const asked = await this.talk(undefined, signal);
    return asked.ok ? '' : codeOf(asked.fault);
  }

  /** Asks for answers while there may be some, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.stir = new AbortController();
      const agoMs = this.sentMs === undefined ? askMs.longest : this.parts.clock.bootMs() - this.sentMs;
      const waitMs = agoMs < askMs.firstFor ? askMs.first : askMs.later;
      const isOver = agoMs >= askMs.longest;
      // A first message ends the long wait; those after it change nothing about the pace.
      await this.parts.clock.sleep(isOver ? idleMs : waitMs, isOver ? AbortSignal.any([signal, this.stir.signal]) : signal);
      if (!isOver && !signal.aborted) await this.talk(undefined, signal);
    }
  }

  private talk(delivery: Messages['CourierDelivery'] | undefined, signal: AbortSignal): Promise<Result<void>> {
    const next = this.turn.then(() => this.talkNow(delivery, signal));
    this.turn = next;
    return next;
  }

  private async talkNow(delivery: Messages['CourierDelivery'] | undefined, signal: AbortSignal): Promise<Result<void>> {
    const { exchange, mailbox, onAnswer } = this.parts;
    const request = encodeMessage('CourierRequest', { mailbox, after: this.after, ...(delivery && { delivery }) });
    const answered = await exchange.post(courierEndpoint, request, signal);
    if (!answered.ok) return answered;
    const reply = decodeMessage('CourierReply', answered.value);
    if (!reply.ok) return reply;
    for (const answer of reply.value.answers) if (!(await onAnswer(answer)).ok) return done;
    this.after = Math.max(this.after, reply.value.number);
    return done;
  }
}

const idleMs = 60_000;
