import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { codeOf, deny, done, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { virtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { seededRandom } from '#hal/memory/random';
import { memoryLine } from '#hal/memory/serial-link';
import { Contact, type News } from '../contact/contact.ts';
import { ascii } from '../core/octets.ts';
import { KeyBench } from '../key-bench.fixture.ts';
import { keyCrypto } from '../runtime/key-crypto.ts';
import { HostSide, pairingRecord } from './host-side.ts';
import { type Courier, hostMs, KeyHost } from './key-host.ts';
import { AlertQueue } from './queue.ts';

const silentLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
const id = (byte: number): Uint8Array => new Uint8Array(16).fill(byte);
const secrets = [1, 2].map((byte) => ({
  id: id(byte),
  seed: new Uint8Array(32).fill(byte),
  psk: new Uint8Array(32).fill(0x40 + byte),
}));
const pin = { cancel: Uint8Array.of(1, 2, 3, 4), duress: Uint8Array.of(9, 8, 7, 6) };

/** A Key on a line in memory, and its host, on virtual time. */
const setUp = () => {
  const clock = virtualClock();
  const line = memoryLine();
  const key = new KeyBench(clock, (bytes) => line.device.write(bytes));
  line.device.onBytes = (bytes) => key.give({ is: 'received', bytes });
  const random = seededRandom('host');
  const side = HostSide.open({ backend: nodeCrypto, random, store: memoryStore(), transport: 'serial' });
  const queue = unwrap(AlertQueue.open(memoryStore()));
  const contacts = secrets.map((one) => new Contact(nodeCrypto, random, one));
  const news: { contact: number; news: News }[] = [];
  const state = { isReachable: true, isLocked: false };
  const courier: Courier = {
    async deliver(contact, message) {
      if (!state.isReachable) return { ok: false, fault: { category: 'unavailable', reason: 'peer-unreachable' } };
      const index = secrets.findIndex((one) => toHex(one.id) === toHex(contact));
      const received = contacts[index]?.receive(message, clock.bootMs());
      if (received?.ok) news.push({ contact: index, news: received.value.news });
      if (received?.ok && received.value.ack !== undefined) await host.answer(received.value.ack);
      return done;
    },
  };
  const crypto = keyCrypto(nodeCrypto, new Uint8Array(32), 1);
  const host: KeyHost = new KeyHost({
    ...{ links: line, crypto, queue, courier, clock, random, log: silentLog },
    side: async () => (state.isLocked ? deny('unavailable', 'pairing-locked') : side),
  });
  return { clock, line, key, host, queue, contacts, news, state };
};

describe('what the host keeps of a pairing', () => {
  const key = `x:${'5a'.repeat(32)}`;
  const opened = (kept: unknown) => {
    const store = memoryStore();
    unwrap(store.put(pairingRecord, ascii(JSON.stringify(kept))));
    return HostSide.open({ backend: nodeCrypto, random: seededRandom('kept'), store, transport: 'serial' });
  };

  test('opens as it was written', () => {
    const side = unwrap(opened({ staticSecret: key, keyStatic: key, psks: [key, key], advertisingKey: key }));
    expect(side.isPaired).toBe(true);
    expect(side.resumption(id(1)).ok).toBe(true);
    expect(unwrap(opened({ staticSecret: key, psks: [] })).isPaired).toBe(false);
  });

  test.each([
    null,
    5,
    {},
    [],
    'x:00',
    { staticSecret: key },
    { staticSecret: 'x:5a', psks: [] },
    { staticSecret: key, psks: {} },
    { staticSecret: key, psks: [null] },
    { staticSecret: key, psks: [key, key, key] },
    { staticSecret: key, psks: [key], keyStatic: null },
    { staticSecret: key, psks: [key], keyStatic: 'x:5a' },
    { staticSecret: key, psks: [key], advertisingKey: 5 },
  ])('is unreadable where it is none, and ends nobody (SR-11): %j', (kept) => {
    expect(opened(kept)).toMatchObject({ ok: false, fault: { category: 'integrity', reason: 'pairing-unreadable' } });
  });
});

describe('the host of a Key', () => {
  const stop = new AbortController();
  let bench: ReturnType<typeof setUp>;
  let running: Promise<void>;
  let signal: AbortSignal;
  let controller: AbortController;
  beforeEach(() => {
    bench = setUp();
    controller = new AbortController();
    ({ signal } = controller);
    running = bench.host.run(signal);
  });
  afterEach(async () => {
    controller.abort();
    await bench.clock.advance(60_000);
    bench.line.plug(false);
    await running;
    stop.abort();
  });

  /** Run a call while time passes. */
  const meanwhile = async <T>(call: Promise<T>): Promise<T> => {
    let isDone = false;
    const finished = call.finally(() => {
      isDone = true;
    });
    for (let step = 0; step < 400 && !isDone; step++) await bench.clock.advance(25);
    return finished;
  };
  const reason = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));

  const paired = async (): Promise<void> => {
    bench.key.cable(true);
    await bench.clock.advance(100);
    unwrap(await meanwhile(bench.host.pair(bench.key.cardSecret, signal)));
  };

  const provisioned = async (): Promise<void> => {
    await paired();
    for (const [index, contact] of bench.contacts.entries()) {
      const { id: name, psk } = secrets[index] ?? expect.fail();
      const put = { type: 'contact-put', contact: name, tier: 1, isNamed: true, psk, publicKey: contact.publicKey } as const;
      unwrap(await meanwhile(bench.host.order(put, signal)));
    }
    unwrap(await meanwhile(bench.host.order({ type: 'pins', ...pin }, signal)));
  };

  test('pairs a new Key with its card, sets it up, and reads its state', async () => {
    await provisioned();
    const status = unwrap(await meanwhile(bench.host.status(signal)));
    expect(status).toMatchObject({ state: 'bound', contacts: 2, hasPins: true, allowsRemoteArm: false, batteryPercent: 100 });
  });

  test('a Key that is not paired is said to be so; a wrong card gets no answer', async () => {
    bench.key.cable(true);
    await bench.clock.advance(100);
    expect(reason(await meanwhile(bench.host.status(signal)))).toBe('identity/key-not-paired');
    expect(reason(await meanwhile(bench.host.pair(new Uint8Array(16), signal)))).toBe('unavailable/key-silent');
  });

  test('gives the session back after a while, lets the Key sleep, and wakes it for the next request', async () => {
    await paired();
    unwrap(await meanwhile(bench.host.status(signal)));
    await bench.clock.advance(hostMs.hold + 3 * hostMs.ping);
    expect(bench.key.powered).toEqual([]);
    await bench.clock.advance(60_000);
    expect(unwrap(await meanwhile(bench.host.status(signal))).state).toBe('bound');
  });

  test('a change of who is alerted, once the window is over, needs both buttons', async () => {
    await paired();
    await bench.clock.advance(400_000);
    expect(reason(await meanwhile(bench.host.order({ type: 'remote-arm', isAllowed: true }, signal)))).toBe(
      'authorization/chord-missing',
    );
    expect(reason(await meanwhile(bench.host.order({ type: 'setup' }, signal)))).toBe('authorization/chord-missing');
    await bench.key.chord();
    expect(reason(await meanwhile(bench.host.order({ type: 'remote-arm', isAllowed: true }, signal)))).toBe('ok');
  });

  test('remote arming is refused unless allowed on the Key (SR-36)', async () => {
    await paired();
    expect(reason(await meanwhile(bench.host.order({ type: 'arm' }, signal)))).toBe('authorization/key-declined');
    unwrap(await meanwhile(bench.host.order({ type: 'remote-arm', isAllowed: true }, signal)));
    expect(reason(await meanwhile(bench.host.order({ type: 'arm' }, signal)))).toBe('ok');
    expect(bench.key.felt.at(-1)).toBe('countdown');
  });

  test('a test needs both buttons, and contacts see that it is one', async () => {
    await provisioned();
    expect(reason(await meanwhile(bench.host.order({ type: 'test' }, signal)))).toBe('authorization/chord-missing');
    await bench.key.chord();
    await bench.clock.advance(15_000);
    expect(bench.news.filter(({ news }) => news.is === 'opened').map(({ news }) => news)).toMatchObject([
      { purpose: 'test' },
      { purpose: 'test' },
    ]);
  });

  test('equal PINs are refused, and so is a ninth contact', async () => {
    await paired();
    expect(reason(await meanwhile(bench.host.order({ type: 'pins', cancel: pin.cancel, duress: pin.cancel }, signal)))).toBe(
      'authorization/key-declined',
    );
    const put = (byte: number) =>
      ({
        type: 'contact-put',
        contact: id(byte),
        tier: 2,
        isNamed: false,
        psk: new Uint8Array(32).fill(byte),
        publicKey: new Uint8Array(1216),
      }) as const;
    for (let byte = 1; byte <= 8; byte++) unwrap(await meanwhile(bench.host.order(put(byte), signal)));
    expect(reason(await meanwhile(bench.host.order(put(9), signal)))).toBe('authorization/key-declined');
    expect(reason(await meanwhile(bench.host.order({ type: 'contact-remove', contact: id(3) }, signal)))).toBe('ok');
    expect(reason(await meanwhile(bench.host.order({ type: 'contact-remove', contact: id(3) }, signal)))).toBe(
      'authorization/key-declined',
    );
  });

  test('an alert reaches contacts without a session, waits for a far end that is away, and ends', async () => {
    await provisioned();
    await bench.clock.advance(60_000);
    bench.state.isReachable = false;
    await bench.key.press(6_000);
    await bench.clock.advance(60_000);
    expect(bench.queue.pending().length).toBeGreaterThan(1);
    bench.state.isReachable = true;
    await bench.clock.advance(130_000);
    expect(bench.queue.pending()).toEqual([]);
    expect(new Set(bench.news.map(({ news }) => news.is))).toContain('position');
    bench.key.give({ is: 'digits', digits: pin.cancel });
    await bench.clock.advance(30_000);
    expect(bench.news.slice(-2).map(({ news }) => news.is)).toEqual(['ended', 'ended']);
    expect(bench.key.powered).toEqual([]);
  });

  test('while its half of the handshake is locked it speaks to no Key, and carries alerts and answers (SR-11)', async () => {
    await provisioned();
    await bench.clock.advance(60_000);
    bench.state.isLocked = true;
    expect(reason(await meanwhile(bench.host.status(signal)))).toBe('unavailable/pairing-locked');
    expect(reason(await meanwhile(bench.host.pair(new Uint8Array(16), signal)))).toBe('unavailable/pairing-locked');
    await bench.key.press(6_000);
    await bench.clock.advance(30_000);
    const told = (contact: number) => bench.news.filter((one) => one.contact === contact).map(({ news }) => news.is);
    for (const contact of [0, 1]) expect(told(contact)).toEqual(expect.arrayContaining(['opened', 'position']));
    expect(bench.key.felt).toContain('ack');
    bench.state.isLocked = false;
    bench.key.give({ is: 'digits', digits: pin.cancel });
    await bench.clock.advance(30_000);
    expect(unwrap(await meanwhile(bench.host.status(signal))).state).toBe('bound');
  });

  test('a pulled cable is opened again, and the session is a new one', async () => {
    await paired();
    bench.line.plug(false);
    await bench.clock.advance(1_000);
    expect(reason(await meanwhile(bench.host.status(signal)))).toBe('unavailable/link-down');
    bench.line.plug(true);
    await bench.clock.advance(70_000);
    expect(bench.host.isOpen).toBe(true);
    expect(unwrap(await meanwhile(bench.host.status(signal))).state).toBe('bound');
  });

  test('a Key that fell silent is noticed by the ping', async () => {
    await paired();
    unwrap(await meanwhile(bench.host.status(signal)));
    bench.line.device.onBytes = () => undefined;
    await bench.clock.advance(2 * hostMs.ping);
    expect(reason(await meanwhile(bench.host.status(signal)))).toMatch(/unavailable\/(key-silent|link-down)/);
  });
});
