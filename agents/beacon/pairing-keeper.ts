/**
 * Keeps what the relay shares with its Key: opens it with a key of the hands, which is asked for until they answer and
 * then stays in memory. Nothing that carries alerts waits for it (SR-11): only talking to the Key does.
 *
 * A pairing that does not open is said to be so, and stays where it is until a person pairs again.
 */
import { HostSide, pairingRecord } from '#firmware-key/host/host-side';
import type { SideUse } from '#firmware-key/host/key-host';
import { within } from '#hal/core/deadline';
import { codeOf, deny, type Failure, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { isSealedRecord } from '#hal/crypto/sealed-record';
import type { Clock } from '#hal/ports/clock';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Log } from '#hal/ports/log';
import type { Random } from '#hal/ports/random';
import type { PairingProtection } from '#protos/gen/types';
import { SealableStore } from './sealable-store.ts';

export interface PairingKeeperParts {
  readonly store: DurableStore;
  readonly crypto: CryptoBackend;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Log;
  /** 32 bytes; `unavailable/not-provisioned` where this device has no secret to make them of */
  readonly askKey: (signal: AbortSignal) => Promise<Result<Uint8Array>>;
}

/** The hands start a moment after the relay; on a device that is not provisioned it is asked for days. */
export const keeperMs = { answer: 2_000, pause: { least: 250, most: 60_000 } } as const;

export class PairingKeeper {
  private readonly parts: PairingKeeperParts;
  private readonly store: SealableStore;
  private opened: HostSide | undefined;
  /** The last word of the store, where it gave no side. */
  private fault: Failure | undefined;
  /** What a new pairing is made with where the one that is kept does not open. */
  private replacement: HostSide | undefined;
  private stored: PairingProtection = 'waiting';
  private asking: Promise<void> | undefined;
  private said = '';

  private constructor(parts: PairingKeeperParts) {
    this.parts = parts;
    this.store = new SealableStore(parts);
  }

  /** What lies there in clear is used at once. @throws where the store does not work */
  static open(parts: PairingKeeperParts): PairingKeeper {
    const keeper = new PairingKeeper(parts);
    const kept = parts.store.get(pairingRecord);
    if (!kept.ok) throw new Error(`${codeOf(kept.fault)}: ${kept.fault.detail ?? ''}`);
    if (kept.value !== undefined && !isSealedRecord(kept.value)) keeper.takeNone();
    return keeper;
  }

  /** How it is kept now. */
  get protection(): PairingProtection {
    this.adopt();
    return this.fault?.fault.reason === 'pairing-unreadable' ? 'unreadable' : this.stored;
  }

  /** Whether there is a pairing, opened or not. */
  get isPaired(): boolean {
    this.adopt();
    if (this.opened !== undefined) return this.opened.isPaired;
    const kept = this.parts.store.get(pairingRecord);
    return kept.ok && kept.value !== undefined;
  }

  /** For `KeyHost`. @returns also `unavailable/pairing-locked`; `integrity/pairing-unreadable`, but for another pairing */
  async side(use: SideUse): Promise<Result<HostSide>> {
    // A new pairing is not written in clear where this device has a secret by now.
    if (use === 'pairing' || (this.opened === undefined && this.fault === undefined)) await this.ask();
    this.adopt();
    if (this.opened !== undefined) return ok(this.opened);
    if (this.fault === undefined) return deny('unavailable', 'pairing-locked');
    if (use === 'session' || this.fault.fault.reason !== 'pairing-unreadable') return this.fault;
    this.replacement ??= HostSide.anew(this.hostOptions());
    return ok(this.replacement);
  }

  /** Asks the hands until they have given the key, or the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.parts;
    let pauseMs: number = keeperMs.pause.least;
    while (!signal.aborted) {
      await this.ask();
      if (this.isSettled) return;
      const [chance = 0] = random.bytes(1);
      await clock.sleep(pauseMs / 2 + (pauseMs * chance) / 512, signal);
      pauseMs = Math.min(2 * pauseMs, keeperMs.pause.most);
    }
  }

  /** Nothing that the hands could say changes it any more. */
  private get isSettled(): boolean {
    return this.stored === 'sealed' && (this.opened !== undefined || this.protection === 'unreadable');
  }

  /** One question at a time, whoever wants to know. */
  private ask(): Promise<void> {
    this.asking ??= this.askNow().finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  private async askNow(): Promise<void> {
    if (this.isSettled) return;
    const { askKey, clock } = this.parts;
    const key = await within(clock, keeperMs.answer, askKey);
    if (key.ok) this.take(key.value);
    else if (key.fault.reason === 'not-provisioned') this.takeNone();
    this.say(key.ok ? this.fault : key);
  }

  private take(key: Uint8Array): void {
    const sealed = this.store.seal(pairingRecord, key);
    // After a refusal clear bytes may still be in the files.
    this.stored = sealed.ok ? 'sealed' : 'clear';
    if (!sealed.ok) this.parts.log.error('pairing.not-sealed', { code: codeOf(sealed.fault), cause: sealed.fault.detail ?? '' });
    this.read();
  }

  private takeNone(): void {
    this.store.allowClear();
    this.stored = 'clear';
    this.read();
  }

  private read(): void {
    if (this.opened !== undefined) return;
    const side = HostSide.open(this.hostOptions());
    this.fault = side.ok ? undefined : side;
    if (side.ok) this.opened = side.value;
  }

  /** Another Key was paired in place of what does not open. */
  private adopt(): void {
    if (this.replacement?.isPaired !== true) return;
    this.opened = this.replacement;
    this.replacement = undefined;
    this.fault = undefined;
  }

  private hostOptions() {
    const { crypto, random } = this.parts;
    return { backend: crypto, random, store: this.store, transport: 'serial' } as const;
  }

  /** Once for each change. */
  private say(refused: Failure | undefined): void {
    const code = refused === undefined ? '' : codeOf(refused.fault);
    const said = `${this.protection} ${code}`;
    if (said !== this.said) this.parts.log.info('pairing.kept', { protection: this.protection, ...(code !== '' && { code }) });
    this.said = said;
  }
}
