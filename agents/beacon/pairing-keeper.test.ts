import { describe, expect, test } from 'vitest';
import { handshakeTypes } from '#firmware-key/core/handshake-messages';
import { decodeValue } from '#firmware-key/core/records';
import { type HostSide, pairingRecord } from '#firmware-key/host/host-side';
import { type HandshakeAnswer, secureSide } from '#firmware-key/runtime/secure-side';
import { toHex } from '#hal/core/bytes';
import { codeOf, deny, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { isSealedRecord } from '#hal/crypto/sealed-record';
import { virtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryLog } from '#hal/memory/log';
import { seededRandom } from '#hal/memory/random';
import type { DurableStore } from '#hal/ports/durable-store';
import { keeperMs, PairingKeeper } from './pairing-keeper.ts';

const key = new Uint8Array(32).fill(0x5a);
const cardSecret = new Uint8Array(16).fill(7);
const given = (bytes: Uint8Array) => async (): Promise<Result<Uint8Array>> => ({ ok: true, value: bytes.slice() });
const notProvisioned = async () => deny('unavailable', 'not-provisioned');
const down = async () => deny('unavailable', 'program-down');
/** Somebody who was stopped: takes the question and never answers. */
const stopped = () => new Promise<never>(() => undefined);

/** One disk and one Key, over any number of starts of the relay. */
const device = () => {
  const disk = new Map<string, Uint8Array>();
  const random = seededRandom('relay');
  const clock = virtualClock();
  const log = memoryLog();
  const newKey = () =>
    secureSide({ ...{ backend: nodeCrypto, random, transport: 'serial', pinRounds: 3, cardSecret }, store: memoryStore() });
  const start = (askKey: () => Promise<Result<Uint8Array>>, store: DurableStore = memoryStore(disk)) => {
    const hands = { askKey, asked: 0 };
    const keeper = PairingKeeper.open({
      ...{ store, crypto: nodeCrypto, random, clock, log },
      askKey: () => {
        hands.asked += 1;
        return hands.askKey();
      },
    });
    const stop = new AbortController();
    const running = keeper.run(stop.signal);
    const end = async () => {
      stop.abort();
      await clock.advance(keeperMs.pause.most);
      await running;
    };
    return { keeper, hands, end };
  };
  const record = () => disk.get(pairingRecord) ?? expect.fail('nothing is kept');
  return { disk, clock, log, newKey, start, record };
};

const reply = (answer: HandshakeAnswer): Uint8Array => answer.reply ?? expect.fail(answer.outcome);
type Key = ReturnType<ReturnType<typeof device>['newKey']>;
const hello = (one: Key) => reply(one.handshake(Uint8Array.of(handshakeTypes.hello), false, 0)).slice(1);
const pair = (side: HostSide, one: Key): void => {
  const pairing = side.pairing(hello(one), cardSecret);
  const second = unwrap(pairing.first(reply(one.handshake(pairing.share(), true, 0))));
  const last = unwrap(pairing.last(reply(one.handshake(second, true, 0))));
  expect(one.handshake(last.message, true, 0)).toMatchObject({ outcome: 'paired' });
};
/** @returns whether the Key knows this side */
const resumes = (side: HostSide, one: Key): boolean => {
  const resumption = unwrap(side.resumption(hello(one)));
  const answer = one.handshake(resumption.message, false, 0);
  return answer.reply !== undefined && resumption.finish(answer.reply).ok;
};
const code = (result: Result<unknown>) => (result.ok ? 'ok' : codeOf(result.fault));

describe('what the relay shares with its Key', () => {
  test('is kept sealed, and opens at the next start under the same key', async () => {
    const { clock, newKey, start, record } = device();
    const one = newKey();
    const first = start(given(key));
    pair(unwrap(await first.keeper.side('pairing')), one);
    expect([first.keeper.protection, first.keeper.isPaired]).toEqual(['sealed', true]);
    expect(isSealedRecord(record())).toBe(true);
    await first.end();
    const second = start(given(key));
    await clock.advance(0);
    expect(resumes(unwrap(await second.keeper.side('session')), one)).toBe(true);
    await clock.advance(3_600_000);
    expect(second.hands.asked).toBe(1);
    await second.end();
  });

  test('is sealed anew with each session, never twice alike', async () => {
    const { newKey, start, record } = device();
    const one = newKey();
    const { keeper, end } = start(given(key));
    const side = unwrap(await keeper.side('pairing'));
    pair(side, one);
    const salts = [toHex(record().slice(16, 48))];
    for (let session = 0; session < 5; session += 1) {
      expect(resumes(side, one)).toBe(true);
      salts.push(toHex(record().slice(16, 48)));
    }
    expect(new Set(salts).size).toBe(6);
    await end();
  });

  test('waits for hands that are down or stopped, asks them again after bounded pauses, and says so once', async () => {
    const { clock, newKey, start, log } = device();
    const one = newKey();
    const before = start(given(key));
    pair(unwrap(await before.keeper.side('pairing')), one);
    await before.end();
    const { keeper, hands, end } = start(stopped);
    const locked = keeper.side('session');
    await clock.advance(keeperMs.answer);
    expect(code(await locked)).toBe('unavailable/pairing-locked');
    expect([keeper.protection, keeper.isPaired]).toEqual(['waiting', true]);
    hands.askKey = down;
    await clock.advance(10 * keeperMs.pause.most);
    const asked = hands.asked;
    expect(asked).toBeLessThan(30);
    expect(log.entries.filter(({ event }) => event === 'pairing.kept').length).toBeLessThan(5);
    hands.askKey = given(key);
    await clock.advance(keeperMs.pause.most);
    expect([keeper.protection, hands.asked]).toEqual(['sealed', asked + 1]);
    expect(resumes(unwrap(await keeper.side('session')), one)).toBe(true);
    await end();
  });

  test('is asked for at once when somebody wants to talk to the Key, not only after a pause', async () => {
    const { clock, start } = device();
    const { keeper, hands, end } = start(down);
    await clock.advance(3_600_000);
    hands.askKey = given(key);
    expect(code(await keeper.side('pairing'))).toBe('ok');
    await end();
  });

  test('is kept in clear where the device has no secret, and sealed as soon as it has one, with the same pairing', async () => {
    const { clock, newKey, start, record } = device();
    const one = newKey();
    const { keeper, hands, end } = start(notProvisioned);
    const side = unwrap(await keeper.side('pairing'));
    pair(side, one);
    expect(keeper.protection).toBe('clear');
    expect(decodeValue(Buffer.from(record()).toString('latin1'))).toHaveProperty('staticSecret');
    hands.askKey = given(key);
    await clock.advance(2 * keeperMs.pause.most);
    expect(keeper.protection).toBe('sealed');
    expect(isSealedRecord(record())).toBe(true);
    expect(resumes(side, one)).toBe(true);
    expect(isSealedRecord(record())).toBe(true);
    await end();
  });

  test('is never written in clear again once the device has a secret, even by a pairing in the pause between questions', async () => {
    const { clock, newKey, start, record } = device();
    const { keeper, hands, end } = start(notProvisioned);
    await clock.advance(3_600_000);
    expect(keeper.protection).toBe('clear');
    hands.askKey = given(key);
    pair(unwrap(await keeper.side('pairing')), newKey());
    expect([keeper.protection, isSealedRecord(record())]).toEqual(['sealed', true]);
    await end();
  });

  test('in clear is used by the next start without asking anybody (SR-11)', async () => {
    const { newKey, start } = device();
    const one = newKey();
    const first = start(notProvisioned);
    pair(unwrap(await first.keeper.side('pairing')), one);
    await first.end();
    const second = start(stopped);
    expect([second.keeper.protection, second.keeper.isPaired]).toEqual(['clear', true]);
    expect(resumes(unwrap(await second.keeper.side('session')), one)).toBe(true);
    await second.end();
  });

  test('is not said to be sealed while the store may still have it in clear: then that is tried again', async () => {
    const { clock, disk, newKey, start, log } = device();
    const one = newKey();
    const state = { isBusy: true };
    const store: DurableStore = {
      ...memoryStore(disk),
      scrub: () => (state.isBusy ? deny('unavailable', 'storage-failed', 'busy') : { ok: true, value: undefined }),
    };
    const { keeper, hands, end } = start(notProvisioned, store);
    pair(unwrap(await keeper.side('pairing')), one);
    hands.askKey = given(key);
    await clock.advance(2 * keeperMs.pause.most);
    expect(keeper.protection).toBe('clear');
    expect(log.entries).toContainEqual(expect.objectContaining({ event: 'pairing.not-sealed' }));
    state.isBusy = false;
    await clock.advance(2 * keeperMs.pause.most);
    expect(keeper.protection).toBe('sealed');
    await end();
  });

  const spoiled = [
    ['by another key', given(new Uint8Array(32).fill(1)), (record: Uint8Array) => record],
    ['with one bit changed', given(key), (record: Uint8Array) => record.with(60, (record[60] ?? 0) ^ 1)],
    ['on a device that has no secret any more', notProvisioned, (record: Uint8Array) => record],
    ['in clear, and not as it was written', given(key), () => Uint8Array.of(0x7b, 0x7b)],
  ] as const;
  test.each(spoiled)('%s is a clear fault and no new pairing, until a person pairs again', async (_, askKey, spoil) => {
    const { clock, disk, newKey, start, record } = device();
    const before = start(given(key));
    pair(unwrap(await before.keeper.side('pairing')), newKey());
    await before.end();
    disk.set(pairingRecord, spoil(record()));
    const { keeper, end } = start(askKey);
    await clock.advance(keeperMs.pause.most);
    expect(code(await keeper.side('session'))).toBe('integrity/pairing-unreadable');
    expect([keeper.protection, keeper.isPaired]).toEqual(['unreadable', true]);

    const another = newKey();
    const side = unwrap(await keeper.side('pairing'));
    expect(code(await keeper.side('session'))).toBe('integrity/pairing-unreadable');
    pair(side, another);
    expect(keeper.protection).toBe(askKey === notProvisioned ? 'clear' : 'sealed');
    expect(resumes(unwrap(await keeper.side('session')), another)).toBe(true);
    await end();
    const after = start(askKey);
    await clock.advance(0);
    expect(resumes(unwrap(await after.keeper.side('session')), another)).toBe(true);
    await after.end();
  });
});
