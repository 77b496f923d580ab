import { describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryStore } from '#hal/memory/durable-store';
import { seededRandom } from '#hal/memory/random';
import { capsuleKeys, cutAck, type Header, sealCapsule, sealControl, sealUpdate } from '../core/alert-format.ts';
import { chainStep } from '../core/ratchet.ts';
import { keyCrypto } from '../runtime/key-crypto.ts';
import { secureSide } from '../runtime/secure-side.ts';
import { Contact, contactLimits, unknownEvent } from './contact.ts';

const crypto = keyCrypto(nodeCrypto, new Uint8Array(32), 1);
const secrets = { id: new Uint8Array(16).fill(1), seed: new Uint8Array(32).fill(2), psk: new Uint8Array(32).fill(3) };
const battery = { percent: 50, isLow: false };
const fix = { latitudeE7: -337_000_000, longitudeE7: 1_511_000_000, accuracyM: 20 };
const reason = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));

/** A Key's sealing by hand: one event, message after message. */
const sealer = (psk = secrets.psk) => {
  const random = seededRandom('key');
  const secure = secureSide({ backend: nodeCrypto, random, store: memoryStore(), transport: 'serial', pinRounds: 1 });
  const contact = new Contact(nodeCrypto, random, secrets);
  secure.putContact(toHex(secrets.id), contact.publicKey, psk);
  const capsule = secure.prepare(toHex(secrets.id), 0) ?? expect.fail();
  const keys = capsuleKeys(crypto, capsule.secret);
  const event = random.bytes(16);
  let chainKey = random.bytes(32);
  let [sequence, index] = [100, 0];
  const head = (): Header => ({ event, sequence: sequence++ });
  return {
    contact,
    keys,
    event: toHex(event),
    open: () => sealCapsule(crypto, keys.open, head(), capsule.enc, { purpose: 'alert', battery, index, chainKey }),
    control: (verb: 'cancel' | 'duress' | 'close') => sealControl(crypto, keys.control, head(), verb, battery),
    update: () => {
      const { messageKey, next } = chainStep(crypto, chainKey);
      chainKey = next;
      return sealUpdate(crypto, messageKey, head(), index++, fix, battery);
    },
  };
};

describe('a contact', () => {
  test('opens an event, follows positions in any order, each once, and is told of the end', () => {
    const key = sealer();
    expect(unwrap(key.contact.receive(key.open(), 0)).news).toMatchObject({ is: 'opened', purpose: 'alert', battery });
    const updates = Array.from({ length: 6 }, () => key.update());
    for (const at of [0, 3, 1, 5, 2, 4])
      expect(unwrap(key.contact.receive(updates[at] ?? expect.fail(), 0)).news).toMatchObject({
        is: 'position',
        index: at,
        ...fix,
      });
    for (const update of updates) expect(reason(key.contact.receive(update, 0))).toBe('integrity/decryption-failed');
    expect(unwrap(key.contact.receive(key.control('cancel'), 0)).news).toMatchObject({ is: 'ended', verb: 'cancel' });
    expect(reason(key.contact.receive(key.update(), 0))).toBe('integrity/decryption-failed');
    expect(key.contact.answer(key.event, 'seen')).toBeUndefined();
  });

  test('answers a repeated message with the same bytes, also after the end', () => {
    const key = sealer();
    const [open, end] = [key.open(), key.control('close')];
    const answers = [open, end, open, end].map((message) => toHex(unwrap(key.contact.receive(message, 0)).ack ?? expect.fail()));
    expect(answers.slice(2)).toEqual(answers.slice(0, 2));
    expect(cutAck(new Uint8Array(Buffer.from(answers[0] ?? '', 'hex')))).toMatchObject({
      counter: 1,
      sequence: 100,
      ackClass: 'delivered',
    });
  });

  test('under duress goes on following', () => {
    const key = sealer();
    unwrap(key.contact.receive(key.open(), 0));
    expect(unwrap(key.contact.receive(key.control('duress'), 0)).news).toMatchObject({ is: 'duress' });
    expect(unwrap(key.contact.receive(key.update(), 0)).news.is).toBe('position');
  });

  test('refuses a capsule of somebody who lacks the shared secret (SR-25)', () => {
    const stranger = sealer(new Uint8Array(32).fill(9));
    expect(reason(stranger.contact.receive(stranger.open(), 0))).toBe('integrity/decryption-failed');
  });

  test('one turned bit anywhere in any message is refused, and costs nothing', () => {
    const key = sealer();
    const open = key.open();
    for (const at of [0, 1, 17, 21, 500, 1141, open.length - 1]) {
      const hurt = open.map((byte, index) => (index === at ? byte ^ 1 : byte));
      expect(key.contact.receive(hurt, 0).ok, String(at)).toBe(false);
    }
    unwrap(key.contact.receive(open, 0));
    const update = key.update();
    for (let at = 0; at < update.length; at++) {
      const hurt = update.map((byte, index) => (index === at ? byte ^ 0x80 : byte));
      expect(key.contact.receive(hurt, 0).ok, String(at)).toBe(false);
    }
    expect(unwrap(key.contact.receive(update, 0)).news.is).toBe('position');
    for (const length of [0, 1, 20, 105, 1285]) expect(reason(key.contact.receive(update.subarray(0, length), 0))).not.toBe('ok');
  });

  test('tells a place that came before its alert from one whose event is over', () => {
    const key = sealer();
    const alert = key.open();
    const [early, late] = [key.update(), key.update()];
    const detailOf = (message: Uint8Array) => {
      const received = key.contact.receive(message, 0);
      return received.ok ? 'ok' : received.fault.detail;
    };
    expect(detailOf(early)).toBe(unknownEvent);
    unwrap(key.contact.receive(alert, 0));
    unwrap(key.contact.receive(early, 0));
    unwrap(key.contact.receive(key.control('cancel'), 0));
    expect(detailOf(late)).toBe('the event is over');
  });

  test('lets an event go after its longest time, and follows no more than its limit at once', () => {
    const key = sealer();
    unwrap(key.contact.receive(key.open(), 0));
    expect(reason(key.contact.receive(key.update(), contactLimits.longestMs + 1))).toBe('integrity/decryption-failed');
    for (let count = 0; count < contactLimits.events; count++) unwrap(sameContact(key.contact, count));
    expect(reason(sameContact(key.contact, contactLimits.events))).toBe('resource/count-limit');
  });

  test('skips no further than its limit, so that a forged index cannot keep it busy', () => {
    const key = sealer();
    unwrap(key.contact.receive(key.open(), 0));
    for (let count = 0; count <= contactLimits.skip; count++) key.update();
    expect(reason(key.contact.receive(key.update(), 0))).toBe('integrity/decryption-failed');
  });
});

/** Another event of the same Key to the same contact. */
const sameContact = (contact: Contact, seed: number): Result<unknown> => {
  const random = seededRandom(`event ${seed}`);
  const secure = secureSide({ backend: nodeCrypto, random, store: memoryStore(), transport: 'serial', pinRounds: 1 });
  secure.putContact(toHex(secrets.id), contact.publicKey, secrets.psk);
  const capsule = secure.prepare(toHex(secrets.id), 0) ?? expect.fail();
  const opening = { purpose: 'alert', battery, index: 0, chainKey: random.bytes(32) } as const;
  const head = { event: random.bytes(16), sequence: 1 };
  return contact.receive(
    sealCapsule(crypto, capsuleKeys(crypto, capsule.secret).open, head, capsule.enc, opening),
    contactLimits.longestMs + 2,
  );
};
