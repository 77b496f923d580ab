/**
 * A small world for tests: one Key on a line, a host that relays, contacts, and everything between them that can fail.
 * Virtual time, seeded chance; a run is its seed.
 */
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryStore } from '#hal/memory/durable-store';
import { seededRandom } from '#hal/memory/random';
import type { DurableStore } from '#hal/ports/durable-store';
import { Contact, type News } from './contact/contact.ts';
import type { Fix } from './core/alert-format.ts';
import type { KeyCrypto } from './core/crypto.ts';
import type { Pattern } from './core/effects.ts';
import type { Happening } from './core/inputs.ts';
import { toHex } from './core/octets.ts';
import { encodeValue, restore } from './core/records.ts';
import { factoryState, type KeyState } from './core/state.ts';
import { AlertQueue } from './host/queue.ts';
import { ackFrame, Relay } from './host/relay.ts';
import { Board } from './runtime/board.ts';
import { type KeyCore, nativeCore } from './runtime/core.ts';
import { memoryPages, type Pages, pairedFlash } from './runtime/flash.ts';
import { type SecureSide, secureSide } from './runtime/secure-side.ts';

/** xorshift32: cheap chance for deciding what fails; keys come from `seededRandom`. */
export const chanceOf = (seed: number) => {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) | 1;
  const below = (limit: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
  return { below, percent: (share: number): boolean => below(100) < share };
};

export class PowerCut extends Error {}

export interface WorldOptions {
  readonly seed: number;
  /** Percent of chunks on the line, and of messages beyond the host, that are lost; half as many are damaged. */
  readonly lossPercent?: number;
  /** Cuts of the Key's power, at any write and any output. */
  readonly keyCuts?: number;
  readonly hostKills?: number;
  /** Cut the Key's power at exactly this write, erasure or output, counted from the first. */
  readonly cutAt?: number;
  readonly contacts?: number;
  /** Contacts whom nothing reaches. */
  readonly silent?: readonly number[];
  readonly core?: (crypto: KeyCrypto) => KeyCore;
  /** How often the Key was docked before. */
  readonly docks?: number;
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

const isBefore = (a: Due, b: Due): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

export const pins = { cancel: Uint8Array.of(1, 2, 3, 4), duress: Uint8Array.of(4, 3, 2, 1), wrong: Uint8Array.of(9, 9, 9, 9) };
const place: Fix = { latitudeE7: 525_200_000, longitudeE7: -134_050_000, accuracyM: 12 };

/** The keys of contacts are the same in every world: making them is the slow part. */
const contactIds = [0, 1, 2, 3].map((index) => new Uint8Array(16).fill(0xa0 + index));
const contactSecrets = contactIds.map((id, index) => ({
  id,
  seed: new Uint8Array(32).fill(index + 1),
  psk: new Uint8Array(32).fill(0x60 + index),
}));
const publicKeys = contactSecrets.map((secrets) => new Contact(nodeCrypto, seededRandom(0), secrets).publicKey);

export class World {
  atMs = 1_000_000;
  readonly chance: ReturnType<typeof chanceOf>;
  /** Everything that the Key wrote to the line, with its time. */
  readonly written: { readonly atMs: number; readonly bytes: Uint8Array; readonly kind: 'link' | 'transmit' }[] = [];
  readonly felt: Pattern[] = [];
  readonly advertised: Uint8Array[] = [];
  /** Positions that the Key asked for. */
  located: number[] = [];
  readonly news: { readonly contact: number; readonly atMs: number; readonly news: News }[] = [];
  /** Every message that reached the host, as whoever sits there would keep it. */
  readonly seenByHost: { readonly contact: string; readonly message: Uint8Array }[] = [];
  cuts = 0;
  /** Writes, erasures and outputs so far. */
  operations = 0;
  board: Board;
  contacts: readonly Contact[];
  onFrame: (frame: { readonly body: Uint8Array; readonly channel: number }) => void = () => undefined;
  private readonly options: WorldOptions;
  private readonly pages = new Map<string, Uint8Array>();
  private readonly vault = new Map<string, Uint8Array>();
  private readonly hostDisk = new Map<string, Uint8Array>();
  private readonly random;
  private readonly due: Due[] = [];
  private order = 0;
  private fuse = Number.POSITIVE_INFINITY;
  private queue: AlertQueue;
  private relay: Relay;
  private cutsLeft: number;
  private wakeOrder = 0;
  private isDark = false;
  private isHeld = false;
  private isPrepared = false;

  constructor(options: WorldOptions) {
    this.options = options;
    this.chance = chanceOf(options.seed);
    this.random = seededRandom(`world ${options.seed}`);
    this.contacts = contactSecrets
      .slice(0, options.contacts ?? 2)
      .map((secrets) => new Contact(nodeCrypto, this.random, secrets));
    this.cutsLeft = options.keyCuts ?? 0;
    this.prepare();
    this.isPrepared = true;
    [this.queue, this.relay] = this.startHost();
    this.board = this.newKey();
    this.boot();
    for (let kill = 0; kill < (options.hostKills ?? 0); kill++)
      this.after(this.chance.below(120_000), () => {
        [this.queue, this.relay] = this.startHost();
      });
    this.pump();
  }

  /** What `after` ms from now happens; in order of time, then of asking. */
  after(delayMs: number, run: () => void): void {
    this.order += 1;
    this.due.push({ atMs: this.atMs + delayMs, order: this.order, run });
  }

  /** Live until `untilMs`, or until `isDone`. */
  run(durationMs: number, isDone: () => boolean = () => false): void {
    const untilMs = this.atMs + durationMs;
    for (;;) {
      if (isDone()) return;
      const next = this.due.reduce<Due | undefined>(
        (least, due) => (least === undefined || isBefore(due, least) ? due : least),
        undefined,
      );
      if (next === undefined || next.atMs > untilMs) break;
      this.due.splice(this.due.indexOf(next), 1);
      this.atMs = Math.max(this.atMs, next.atMs);
      next.run();
    }
    this.atMs = untilMs;
  }

  /** One thing happens to the Key, if it has power; it may lose it in the midst of it. */
  give(happening: Happening): void {
    if (!this.isDark) this.guarded(() => this.board.give(happening, this.atMs));
  }

  /** Press and hold for `heldMs`, from now on. */
  press(heldMs: number): void {
    const move = (isDown: boolean): void => {
      this.isHeld = isDown;
      this.give({ is: 'button', button: 'sos', isDown });
    };
    move(true);
    this.after(heldMs, () => move(false));
  }

  chord(): void {
    for (const isDown of [true, false])
      for (const button of ['side', 'sos'] as const)
        this.after(isDown ? 0 : 2_200, () => this.give({ is: 'button', button, isDown }));
  }

  /** What the Key has persisted, as it would find it after a power cut. */
  get stored(): KeyState {
    return restore(factoryState, pairedFlash(memoryPages(this.pages)).readAll());
  }

  /** Everything that an attacker finds in a Key that he has opened. */
  get flashText(): string {
    return [...this.pages.values()].map((page) => Buffer.from(page).toString('latin1')).join('\n');
  }

  /** A Key as it is after pairing, set-up and one dock: contacts, PINs and capsules in its flash. */
  private prepare(): void {
    const flash = pairedFlash(memoryPages(this.pages));
    const secure = this.newSecure();
    const ids = contactIds.slice(0, this.options.contacts ?? 2).map(toHex);
    for (const [index, id] of ids.entries())
      secure.putContact(id, publicKeys[index] ?? new Uint8Array(0), contactSecrets[index]?.psk ?? new Uint8Array(0));
    const salts = { cancelSalt: new Uint8Array(16).fill(1), duressSalt: new Uint8Array(16).fill(2) };
    const setup: KeyState['setup'] = {
      contacts: ids.map((id, index) => ({ id, tier: index < 2 ? 1 : index, isNamed: true })),
      allowsRemoteArm: false,
      pins: {
        ...salts,
        cancelTag: secure.crypto.pinTag(salts.cancelSalt, pins.cancel),
        duressTag: secure.crypto.pinTag(salts.duressSalt, pins.duress),
      },
    };
    flash.write('setup', encodeValue(setup));
    flash.write(
      'life',
      encodeValue({
        visible: 'dormant',
        tries: 0,
        battery: { percent: 100, isLow: false },
        audit: factoryState.audit,
        reservedUntil: 0,
      }),
    );
    flash.write('ledger', encodeValue({ ...factoryState.ledger, atMs: this.atMs, covertPc: 0 }));
    for (let dock = 0; dock < (this.options.docks ?? 0); dock++) secure.dock(this.atMs);
  }

  private newSecure(): SecureSide {
    return secureSide({
      backend: nodeCrypto,
      random: this.random,
      store: this.fusedVault(),
      transport: 'serial',
      pinRounds: 2,
      cardSecret: new Uint8Array(16).fill(7),
    });
  }

  /** A Key that lost power keeps its flash and its vault, and nothing else. */
  private newKey(): Board {
    const secure = this.newSecure();
    return new Board({
      core: (this.options.core ?? nativeCore)(secure.crypto),
      secure,
      flash: pairedFlash(this.fusedPages()),
      random: this.random,
      outputs: {
        haptic: (pattern) => void this.felt.push(pattern),
        advertise: (id) => void this.advertised.push(id),
        write: (bytes, kind) => {
          this.burn();
          this.written.push({ atMs: this.atMs, bytes, kind });
          this.carry(bytes, (arrived) => this.relay.feed(arrived));
        },
        locate: () => {
          this.located.push(this.atMs);
          this.after(1_500, () => this.give({ is: 'fix', ...place }));
        },
      },
    });
  }

  private boot(): void {
    this.guarded(() => {
      this.board = this.newKey();
      this.board.boot(this.atMs);
      if (this.isHeld) this.board.give({ is: 'button', button: 'sos', isDown: true }, this.atMs);
    });
  }

  /** Power may go at any write and any output; then the Key is dark for a while. */
  private guarded(run: () => void): void {
    this.fuse = this.cutsLeft > 0 && this.chance.percent(40) ? this.chance.below(6) : Number.POSITIVE_INFINITY;
    this.wakeOrder += 1;
    try {
      run();
      this.isDark = false;
      this.scheduleWake();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.cuts += 1;
      this.isDark = true;
      this.after(50 + this.chance.below(3_000), () => this.boot());
    }
  }

  private scheduleWake(): void {
    const mine = this.wakeOrder;
    const { wakeMs } = this.board;
    if (wakeMs === undefined) return;
    this.after(Math.max(0, wakeMs - this.atMs), () => {
      if (mine === this.wakeOrder) this.give({ is: 'tick' });
    });
  }

  private burn(): void {
    if (!this.isPrepared) return;
    this.fuse -= 1;
    this.operations += 1;
    if (this.fuse >= 0 && this.operations - 1 !== this.options.cutAt) return;
    this.cutsLeft -= 1;
    this.fuse = Number.POSITIVE_INFINITY;
    throw new PowerCut('power');
  }

  private fusedVault(): DurableStore {
    const store = memoryStore(this.vault);
    return {
      ...store,
      put: (key, value) => {
        this.burn();
        return store.put(key, value);
      },
    };
  }

  private fusedPages(): Pages {
    const pages = memoryPages(this.pages);
    return {
      ...pages,
      write: (page, bytes) => {
        try {
          this.burn();
        } catch (cut) {
          pages.write(page, bytes.subarray(0, this.chance.below(bytes.length)));
          throw cut;
        }
        pages.write(page, bytes);
      },
      erase: (page) => {
        this.burn();
        pages.erase(page);
      },
    };
  }

  /** A line that loses, damages and delays. */
  private carry(bytes: Uint8Array, arrive: (bytes: Uint8Array) => void): void {
    const loss = this.options.lossPercent ?? 0;
    if (this.chance.percent(loss)) return;
    const arrived = bytes.slice();
    if (this.chance.percent(loss / 2)) arrived[this.chance.below(arrived.length)] = this.chance.below(256);
    this.after(2 + this.chance.below(20), () => arrive(arrived));
  }

  private startHost(): [AlertQueue, Relay] {
    const queue = unwrap(AlertQueue.open(memoryStore(this.hostDisk)));
    const relay = new Relay(queue, { onFrame: (frame) => this.onFrame(frame), onAlert: () => undefined });
    return [queue, relay];
  }

  /** The host's courier: every second it offers what waits to the far end. */
  private pump(): void {
    this.after(1_000, () => {
      for (const { name, contact, message } of this.queue.pending()) this.deliver(name, contact, message);
      this.pump();
    });
  }

  private deliver(name: string, contact: Uint8Array, message: Uint8Array): void {
    if (this.chance.percent(this.options.lossPercent ?? 0)) return;
    this.seenByHost.push({ contact: toHex(contact), message });
    this.after(30 + this.chance.below(500), () => {
      const index = contactIds.findIndex((id) => toHex(id) === toHex(contact));
      if (this.options.silent?.includes(index)) return;
      const received = this.contacts[index]?.receive(message, this.atMs);
      unwrap(this.queue.delivered(name));
      if (!received?.ok) return;
      this.news.push({ contact: index, atMs: this.atMs, news: received.value.news });
      const { ack } = received.value;
      if (ack !== undefined) this.carry(ackFrame(ack), (bytes) => this.give({ is: 'received', bytes }));
    });
  }

  /** Bytes of a contact's answer on the line, whoever plays them. */
  hear(ack: Uint8Array): void {
    this.give({ is: 'received', bytes: ackFrame(ack) });
  }

  /** Nothing is powered, and not because the power is gone. */
  get isResting(): boolean {
    return !this.isDark && this.board.powered.length === 0;
  }

  get vaultText(): string {
    return [...this.vault.values()].map((bytes) => Buffer.from(bytes).toString('latin1')).join('\n');
  }

  /** A person answers, if the event is open. */
  answer(contact: number, event: string, ackClass: 'seen' | 'responding' | 'resolved'): void {
    const ack = this.contacts[contact]?.answer(event, ackClass);
    if (ack !== undefined) this.carry(ackFrame(ack), (bytes) => this.give({ is: 'received', bytes }));
  }
}
