/**
 * SR-24: two runs that differ only in the PIN give the same local outputs, byte for byte and at the same times, for
 * every later sequence of local inputs, until the covert alert ends. Local: what can be felt, what is advertised, every
 * byte of handshakes and sessions, and the views of ledger and audit. Not claimed: bytes to contacts, radio, power.
 */
import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { nodeCrypto } from '#hal/crypto/node';
import { ackClasses, capsuleKeys, cutMessage, decodeSubmission, sealAck } from './core/alert-format.ts';
import type { Effect } from './core/effects.ts';
import { channels, emptyReader, encodeFrame, readFrames } from './core/frame.ts';
import type { Capsule, Happening } from './core/inputs.ts';
import { charge } from './core/ledger.ts';
import { encodeRequest } from './core/messages.ts';
import { ofHex } from './core/octets.ts';
import { decodeValue, encodeValue } from './core/records.ts';
import { reduce } from './core/reduce.ts';
import { openSession, sealFrame } from './core/session.ts';
import { alertMs, factoryState, type KeyState } from './core/state.ts';
import { keyCrypto } from './runtime/key-crypto.ts';
import { chanceOf, pins } from './world.fixture.ts';

const traces = Number(process.env['DURESS_TRACES'] ?? 1_000);
const first = Number(process.env['DURESS_SEED'] ?? 1);
const crypto = keyCrypto(nodeCrypto, new Uint8Array(32).fill(5), 2);
const salts = { cancelSalt: new Uint8Array(16).fill(1), duressSalt: new Uint8Array(16).fill(2) };
const contacts = ['a1', 'a2', 'a3'].map((byte, index) => ({ id: byte.repeat(16), tier: index < 2 ? 1 : 2, isNamed: true }));

const docked: KeyState = {
  ...factoryState,
  visible: 'dormant',
  setup: {
    contacts,
    allowsRemoteArm: true,
    pins: {
      ...salts,
      cancelTag: crypto.pinTag(salts.cancelSalt, pins.cancel),
      duressTag: crypto.pinTag(salts.duressSalt, pins.duress),
    },
  },
};

const capsule: Capsule = { enc: new Uint8Array(1120).fill(3), secret: new Uint8Array(32).fill(4) };
/** Chance by the time alone, so that a wake that only one run has changes nothing for the other. */
const entropyAt = (atMs: number): Uint8Array => nodeCrypto.hash('sha512', utf8(`entropy ${atMs}`));
const sessionKeys = [new Uint8Array(32).fill(8), new Uint8Array(32).fill(9)] as const;

/** What whoever holds the Key and its host can see and feel. */
const isLocal = (effect: Effect): boolean => effect.do === 'haptic' || effect.do === 'advertise' || effect.do === 'link';

class Run {
  state = docked;
  atMs = 0;
  wakeMs: number | undefined;
  readonly local: string[] = [];
  readonly sent: Uint8Array[] = [];
  told: { event: Uint8Array; sequences: readonly number[] } = { event: new Uint8Array(16), sequences: [] };
  host = openSession(sessionKeys[1], sessionKeys[0]);

  give(happening: Happening): void {
    const { state, effects } = reduce(crypto, this.state, { ...happening, atMs: this.atMs, entropy: entropyAt(this.atMs) });
    this.state = state;
    const answers: Happening[] = [];
    for (const effect of effects) {
      if (isLocal(effect)) this.local.push(`${this.atMs} ${encodeValue(effect)}`);
      if (effect.do === 'transmit') this.sent.push(effect.bytes);
      if (effect.do === 'sleep') this.wakeMs = effect.untilMs;
      if (effect.do === 'prepare') answers.push({ is: 'prepared', contact: effect.contact, capsule });
      if (effect.do === 'locate') answers.push({ is: 'fix', latitudeE7: 1, longitudeE7: 2, accuracyM: 3 });
    }
    for (const answer of answers) this.give(answer);
  }

  /** A contact's answer to something that it was told before the PIN or by it: the same in both runs. */
  hear(chance: number, counter: number): void {
    const { event, sequences } = this.told;
    const contact = ofHex(contacts[chance % 3]?.id ?? '');
    const sequence = sequences[chance % Math.max(1, sequences.length)] ?? 0;
    const ackClass = ackClasses[1 + (chance % 4)] ?? 'seen';
    const ack = sealAck(crypto, capsuleKeys(crypto, capsule.secret).ack, { event, contact, counter, sequence, ackClass });
    this.give({ is: 'received', bytes: encodeFrame({ channel: channels.event, sequence: 0, body: ack }) });
  }

  /** Time passes with every wake that this Key asks for. */
  until(atMs: number): void {
    while (this.wakeMs !== undefined && this.wakeMs <= atMs) {
      this.atMs = Math.max(this.atMs, this.wakeMs);
      this.give({ is: 'tick' });
    }
    this.atMs = atMs;
  }

  request(...args: Parameters<typeof encodeRequest>): void {
    const { session, sealed } = sealFrame(crypto, this.host, encodeRequest(...args));
    this.host = session;
    this.give({ is: 'received', bytes: encodeFrame({ channel: channels.control, sequence: 0, body: sealed }) });
  }

  connect(): void {
    this.host = openSession(sessionKeys[1], sessionKeys[0]);
    this.give({ is: 'handshake', outcome: 'session', sendKey: sessionKeys[0], receiveKey: sessionKeys[1] });
  }

  press(heldMs: number): void {
    this.give({ is: 'button', button: 'sos', isDown: true });
    this.until(this.atMs + heldMs);
    this.give({ is: 'button', button: 'sos', isDown: false });
    this.until(this.atMs + 50);
  }

  /** Ledger and audit as anybody is shown them; of the state, what is not about the covert alert. */
  view(): string {
    const { covert, covertPc, sequences, covertReader, alert, ledger, ...visible } = this.state;
    const shown = alert && {
      ...alert,
      ending: alert.ending === 'duress' ? 'cancel' : alert.ending,
      engaged: alert.engaged.map(({ outbox, ...one }) => ({ ...one, waiting: outbox.length })),
    };
    return encodeValue({ ...visible, shown, ledger: charge(ledger, visible.visible, this.atMs) });
  }
}

/** Local inputs only: what the one who holds the Key can do, one at a time. */
const moves: readonly ((run: Run, chance: number) => void)[] = [
  (run, chance) => run.press(chance % 2 === 0 ? 6_000 : 2_500),
  (run, chance) => run.press(chance % 1_000),
  (run, chance) => run.hear(chance, run.atMs),
  (run, chance) => run.hear(chance, run.atMs),
  (run) => run.give({ is: 'cable', isPresent: true }),
  (run) => run.give({ is: 'cable', isPresent: false }),
  (run) => run.connect(),
  (run) => run.request({ type: 'status' }),
  (run) => run.request({ type: 'ping', nonce: new Uint8Array(8) }),
  (run) => run.request({ type: 'release' }),
  (run) => run.request({ type: 'arm' }),
  (run, chance) => run.give({ is: 'received', bytes: entropyAt(chance) }),
  (run) => run.give({ is: 'digits', digits: pins.wrong }),
  (run) => run.give({ is: 'watchdog' }),
  (run) => run.give({ is: 'fault' }),
  (run, chance) => run.give({ is: 'battery', percent: chance % 101 }),
  (run, chance) => {
    for (const isDown of [true, false]) {
      for (const button of ['side', 'sos'] as const) run.give({ is: 'button', button, isDown });
      run.until(run.atMs + 2_100 + (chance % 50));
    }
  },
];

const live = (seed: number, pin: Uint8Array) => {
  const chance = chanceOf(seed);
  const run = new Run();
  run.press(6_000);
  run.until(run.atMs + (chance.percent(50) ? 3_000 : 12_000 + chance.below(200_000)));
  const before = run.sent.length;
  const event = run.state.alert?.event ?? new Uint8Array(16);
  run.give({ is: 'digits', digits: pin });
  const numbers = run.sent.map((bytes) => submissionIn(bytes)?.sequence ?? 0);
  run.told = { event, sequences: [...new Set(numbers)] };
  const sentAtOnce = run.sent.slice(before);
  const steps = 5 + chance.below(15);
  for (let step = 0; step < steps; step++) {
    const move = moves[chance.below(moves.length)];
    const [wait, detail] = [chance.below(chance.percent(20) ? 400_000 : 20_000), chance.below(1_000_000)];
    run.until(run.atMs + wait);
    move?.(run, detail);
    if (run.atMs > alertMs.longest) break;
  }
  run.until(run.atMs + 5_000);
  return { run, sentAtOnce };
};

const submissionIn = (bytes: Uint8Array) => {
  const [frame] = readFrames(emptyReader, bytes).frames;
  return frame && decodeSubmission(frame.body);
};

const shapes = (sent: readonly Uint8Array[]) =>
  sent.map((bytes) => {
    const message = submissionIn(bytes)?.message;
    return [bytes.length - (bytes.length % 8), message?.length, message && cutMessage(message)?.type];
  });

describe(`seeds ${first} to ${first + traces - 1} (DURESS_SEED, DURESS_TRACES)`, () => {
  test('duress and cancel give the same local outputs, and as many messages of the same size at once', () => {
    let covert = 0;
    let after = 0;
    for (let seed = first; seed < first + traces; seed++) {
      const [cancel, duress] = [live(seed, pins.cancel), live(seed, pins.duress)];
      const why = `DURESS_SEED=${seed} DURESS_TRACES=1`;
      expect(duress.run.local, why).toEqual(cancel.run.local);
      expect(decodeValue(duress.run.view()), why).toEqual(decodeValue(cancel.run.view()));
      expect(shapes(duress.sentAtOnce), why).toEqual(shapes(cancel.sentAtOnce));
      expect(cancel.run.state.covert, why).toBeUndefined();
      if (duress.run.state.covert !== undefined) covert += 1;
      after += duress.run.sent.length - cancel.run.sent.length;
    }
    expect(covert).toBe(traces);
    expect(after).toBeGreaterThan(5 * traces);
  });

  test('the check has teeth: a run with a wrong PIN in its place is seen', () => {
    const differing = Array.from({ length: 50 }, (_, seed) => [live(seed, pins.cancel), live(seed, pins.wrong)] as const);
    expect(differing.every(([cancel, wrong]) => encodeValue(cancel.run.local) !== encodeValue(wrong.run.local))).toBe(true);
  });
});
