/**
 * The device's side of the Key: keeps the line open, carries alerts to the far end until it has them, and speaks to the
 * Key in a session when somebody asks something.
 *
 * Alerts need no session and no pairing, only the line and the queue (SR-11). A session is opened on demand, pinged
 * while it is held, and given back after a while, so that the Key can sleep.
 */
import { deny, done, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { Random } from '#hal/ports/random';
import type { SerialLink, SerialLinks } from '#hal/ports/serial-link';
import type { KeyCrypto } from '../core/crypto.ts';
import { type Channel, channels, encodeFrame, type Frame } from '../core/frame.ts';
import { bootIdBytes, handshakeTypes } from '../core/handshake-messages.ts';
import { type Answer, decodeAnswer, encodeRequest, type Request, type Status } from '../core/messages.ts';
import { openFrame, openSession, type Session, sealFrame } from '../core/session.ts';
import type { HostSide, SessionKeys } from './host-side.ts';
import type { AlertQueue } from './queue.ts';
import { ackFrame, Relay } from './relay.ts';

/** Whoever reaches contacts: the network, a modem, another device. */
export interface Courier {
  /** @returns nothing once the far end has the message durably; any refusal is tried again */
  deliver(contact: Uint8Array, message: Uint8Array, signal: AbortSignal): Promise<Result<void>>;
}

/** What the host wants to do with its half of a handshake. */
export type SideUse = 'session' | 'pairing';

export interface KeyHostParts {
  readonly links: SerialLinks;
  /** The host's half of handshakes, or why there is none now. Alerts never ask for it. */
  readonly side: (use: SideUse) => Promise<Result<HostSide>>;
  readonly crypto: KeyCrypto;
  readonly queue: AlertQueue;
  readonly courier: Courier;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export const hostMs = {
  answer: 1_000,
  ping: 2_000,
  hold: 10_000,
  reopen: { least: 250, most: 5_000 },
  courier: { least: 1_000, most: 60_000 },
} as const;

/** A dormant Key needs a zero byte and a moment before it listens. */
const wakeTries = 3;
const wakeMs = 50;

interface Waiting {
  readonly channel: Channel;
  resolve(frame: Frame): void;
}

export class KeyHost {
  private readonly parts: KeyHostParts;
  private readonly relay: Relay;
  private link: SerialLink | undefined;
  private session: Session | undefined;
  /** Of the session. */
  private side: HostSide | undefined;
  private usedMs = 0;
  private waiting: Waiting | undefined;
  /** One exchange at a time. */
  private turn: Promise<unknown> = Promise.resolve();
  private stirCourier = new AbortController();

  constructor(parts: KeyHostParts) {
    this.parts = parts;
    this.relay = new Relay(parts.queue, {
      onFrame: (frame) => this.waiting?.channel === frame.channel && this.waiting.resolve(frame),
      onAlert: (queued) => {
        if (queued.ok) this.stirCourier.abort();
        else parts.log.error('key.queue', { category: queued.fault.category, reason: queued.fault.reason });
      },
    });
  }

  get isOpen(): boolean {
    return this.link !== undefined;
  }

  /** Works until the signal aborts: line, courier, liveness. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.keepLine(signal), this.keepDelivering(signal), this.keepAlive(signal)]);
  }

  /** A contact's answer, for the Key. @returns nothing once written, or `unavailable/link-down` */
  async answer(ack: Uint8Array): Promise<Result<void>> {
    return this.link?.write(ackFrame(ack)) ?? deny('unavailable', 'link-down');
  }

  /** @returns what the Key says of itself; or `unavailable/link-down`, `unavailable/key-silent`, `identity/key-not-paired` */
  async status(signal: AbortSignal): Promise<Result<Status>> {
    const answer = await this.ask({ type: 'status' }, signal);
    if (!answer.ok) return answer;
    return answer.value.type === 'status' ? ok(answer.value.status) : deny('protocol', 'malformed', 'status');
  }

  /**
   * Anything that is done or not done: contacts, PINs, a test, remote arming.
   *
   * @returns nothing once done; or `authorization/chord-missing`, `authorization/key-declined`, and what `status` returns
   */
  async order(request: Exclude<Request, { type: 'ping' | 'status' }>, signal: AbortSignal): Promise<Result<void>> {
    const answer = await this.ask(request, signal);
    if (!answer.ok) return answer;
    if (answer.value.type !== 'answer' || answer.value.to !== request.type) return deny('protocol', 'malformed', 'answer');
    if (answer.value.verdict === 'press-chord') return deny('authorization', 'chord-missing');
    return answer.value.verdict === 'done' ? done : deny('authorization', 'key-declined');
  }

  /**
   * Pair with a Key that is in pairing.
   *
   * @param secret the card's bytes, or digits that the wearer types on the Key
   * @returns nothing; or `unavailable/key-silent` (a wrong secret is not answered either), `unavailable/link-down`
   */
  pair(secret: Uint8Array, signal: AbortSignal): Promise<Result<void>> {
    return this.inTurn(async () => {
      const side = await this.parts.side('pairing');
      if (!side.ok) return side;
      const bootId = await this.hello(signal);
      if (!bootId.ok) return bootId;
      const pairing = side.value.pairing(bootId.value, secret);
      const shared = await this.shake(pairing.share(), signal);
      const first = shared.ok ? pairing.first(shared.value) : shared;
      const second = first.ok ? await this.shake(first.value, signal) : first;
      const last = second.ok ? pairing.last(second.value) : second;
      if (!last.ok) return last;
      const taken = await this.shake(last.value.message, signal);
      if (!taken.ok) return taken;
      return taken.value[0] === handshakeTypes.done
        ? this.begin(side.value, last.value)
        : deny('protocol', 'malformed', 'pairing');
    });
  }

  private ask(request: Request, signal: AbortSignal): Promise<Result<Answer>> {
    return this.inTurn(async () => {
      if (this.session === undefined) {
        const resumed = await this.resume(signal);
        if (!resumed.ok) return resumed;
      }
      this.usedMs = this.parts.clock.bootMs();
      return this.exchange(request, signal);
    });
  }

  private inTurn<T>(run: () => Promise<T>): Promise<T> {
    const next = this.turn.then(run, run);
    this.turn = next.catch(() => undefined);
    return next;
  }

  /** The two may still disagree on which psk is the newest: then the second attempt uses the one before. */
  private async resume(signal: AbortSignal): Promise<Result<void>> {
    const side = await this.parts.side('session');
    if (!side.ok) return side;
    let last: Result<void> = deny('unavailable', 'key-silent');
    for (let attempt = 0; attempt < 2; attempt++) {
      const bootId = await this.hello(signal);
      if (!bootId.ok) return bootId;
      const resumption = side.value.resumption(bootId.value);
      if (!resumption.ok) return resumption;
      const reply = await this.shake(resumption.value.message, signal);
      const keys = reply.ok ? resumption.value.finish(reply.value) : reply;
      if (keys.ok) return this.begin(side.value, keys.value);
      last = keys;
    }
    return last;
  }

  private begin(side: HostSide, { sendKey, receiveKey }: SessionKeys): Result<void> {
    this.side = side;
    this.session = openSession(sendKey, receiveKey);
    this.usedMs = this.parts.clock.bootMs();
    return done;
  }

  private async hello(signal: AbortSignal): Promise<Result<Uint8Array>> {
    let last: Result<Uint8Array> = deny('unavailable', 'link-down');
    for (let attempt = 0; attempt < wakeTries; attempt++) {
      await this.link?.write(Uint8Array.of(0));
      await this.parts.clock.sleep(wakeMs, signal);
      last = await this.shake(Uint8Array.of(handshakeTypes.hello), signal);
      if (!last.ok) continue;
      const isReply = last.value[0] === handshakeTypes.helloReply && last.value.length === 1 + bootIdBytes;
      return isReply ? ok(last.value.slice(1)) : deny('protocol', 'malformed', 'hello');
    }
    return last;
  }

  private async shake(body: Uint8Array, signal: AbortSignal): Promise<Result<Uint8Array>> {
    const frame = await this.send(channels.handshake, 0, body, signal);
    return frame.ok ? ok(frame.value.body) : frame;
  }

  /** One request and its answer in the session; anything but an answer that opens ends the session. */
  private async exchange(request: Request, signal: AbortSignal): Promise<Result<Answer>> {
    const { session } = this;
    if (session === undefined) return deny('unavailable', 'key-silent');
    const { session: next, sealed } = sealFrame(this.parts.crypto, session, encodeRequest(request));
    const frame = await this.send(channels.control, session.send.count, sealed, signal);
    this.session = undefined;
    if (!frame.ok) return frame;
    const opened = openFrame(this.parts.crypto, next, frame.value.body);
    const answer = opened && decodeAnswer(opened.plaintext);
    if (opened === undefined || answer === undefined) return deny('protocol', 'malformed', 'frame of the session');
    if (next.receive.count === 0) this.side?.confirm();
    this.session = request.type === 'release' ? undefined : opened.session;
    return ok(answer);
  }

  /** Write one frame and wait for the next one of its channel. */
  private async send(channel: Channel, sequence: number, body: Uint8Array, signal: AbortSignal): Promise<Result<Frame>> {
    const { link } = this;
    if (link === undefined) return deny('unavailable', 'link-down');
    const late = new AbortController();
    const answered = new Promise<Frame>((resolve) => {
      this.waiting = { channel, resolve };
    });
    const written = await link.write(encodeFrame({ channel, sequence, body }));
    const abort = (): void => late.abort();
    signal.addEventListener('abort', abort, { once: true });
    const tooLate = this.parts.clock.sleep(hostMs.answer, late.signal).then(() => undefined);
    const frame = written.ok ? await Promise.race([answered, tooLate]) : undefined;
    abort();
    signal.removeEventListener('abort', abort);
    this.waiting = undefined;
    if (!written.ok) return written;
    return frame === undefined ? deny('unavailable', 'key-silent') : ok(frame);
  }

  /** At most one link at a time; after a failure a pause that doubles, with chance in it. */
  private async keepLine(signal: AbortSignal): Promise<void> {
    const { clock, links, log, random } = this.parts;
    let pauseMs: number = hostMs.reopen.least;
    while (!signal.aborted) {
      const opened = await links.open();
      if (opened.ok) {
        pauseMs = hostMs.reopen.least;
        log.info('key.link-up');
        await this.read(opened.value, signal);
        log.info('key.link-down');
      }
      const [chance = 0] = random.bytes(1);
      await clock.sleep(pauseMs / 2 + (pauseMs * chance) / 512, signal);
      pauseMs = Math.min(2 * pauseMs, hostMs.reopen.most);
    }
  }

  private async read(link: SerialLink, signal: AbortSignal): Promise<void> {
    this.link = link;
    for (let bytes = await link.read(signal); bytes.ok; bytes = await link.read(signal)) this.relay.feed(bytes.value);
    this.link = undefined;
    this.session = undefined;
    await link.close();
  }

  private async keepDelivering(signal: AbortSignal): Promise<void> {
    const { clock, courier, log, queue } = this.parts;
    let pauseMs: number = hostMs.courier.least;
    while (!signal.aborted) {
      this.stirCourier = new AbortController();
      let hasFailed = false;
      for (const { name, contact, message } of queue.pending()) {
        const delivered = await courier.deliver(contact, message, signal);
        if (delivered.ok) queue.delivered(name);
        else hasFailed = true;
      }
      pauseMs = hasFailed ? Math.min(2 * pauseMs, hostMs.courier.most) : hostMs.courier.least;
      if (hasFailed) log.warn('key.undelivered', { waiting: queue.pending().length });
      await clock.sleep(pauseMs, AbortSignal.any([signal, this.stirCourier.signal]));
    }
  }

  /** The line may look alive when its far end is gone: only an answer shows that it is not. */
  private async keepAlive(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.parts;
    while (!signal.aborted) {
      await clock.sleep(hostMs.ping, signal);
      if (this.session === undefined) continue;
      await this.inTurn(async () => {
        const isIdle = clock.bootMs() - this.usedMs >= hostMs.hold;
        const answer = await this.exchange(isIdle ? { type: 'release' } : { type: 'ping', nonce: random.bytes(8) }, signal);
        if (!answer.ok && answer.fault.reason === 'key-silent') await this.link?.close();
      });
    }
  }
}
