import { describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { deny, done, ok, type Result, unwrap } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import type { Messages } from '#protos/gen/types';
import { askMs, MailCourier } from './courier.ts';
import { parcelBytes } from './parcel.ts';

const mailbox = new Uint8Array(16).fill(1);
const contact = new Uint8Array(16).fill(2);
const message = new Uint8Array(101).fill(3);
const answer = (value: number) => new Uint8Array(58).fill(value);
const never = new AbortController().signal;

const open = (reply: () => Result<Messages['CourierReply']>) => {
  const clock = virtualClock();
  const asked: Messages['CourierRequest'][] = [];
  const answers: number[] = [];
  let isLineUp = true;
  const courier = new MailCourier({
    mailbox,
    clock,
    exchange: {
      async post(_, body) {
        asked.push(unwrap(decodeMessage('CourierRequest', body)));
        const replied = reply();
        return replied.ok ? ok(encodeMessage('CourierReply', replied.value)) : replied;
      },
    },
    onAnswer: async ([value = 0]) => {
      if (!isLineUp) return deny('unavailable', 'link-down');
      answers.push(value);
      return done;
    },
  });
  return {
    clock,
    asked,
    answers,
    courier,
    cut: (isCut: boolean) => {
      isLineUp = !isCut;
    },
  };
};
const nothing = { number: 0, answers: [] };

describe('the courier', () => {
  test('is given a parcel of one size, under the name that the Key gave the contact', async () => {
    const { courier, asked } = open(() => ok(nothing));
    expect(await courier.deliver(contact, message, never)).toEqual(done);
    expect(toHex(asked[0]?.delivery?.contact ?? mailbox)).toBe(toHex(contact));
    expect(asked[0]?.delivery?.parcel.length).toBe(parcelBytes);
  });

  test('that cannot be reached, or answers nonsense, has not taken it', async () => {
    const down = deny('unavailable', 'peer-unreachable');
    const { courier } = open(() => down);
    expect(await courier.deliver(contact, message, never)).toEqual(down);
    expect(await courier.probe(never)).toBe('unavailable/peer-unreachable');
  });

  test('brings answers, each once; those that the Key did not get come again', async () => {
    const { courier, asked, answers, cut } = open(() => ok({ number: 7, answers: [answer(1), answer(2)] }));
    cut(true);
    await courier.deliver(contact, message, never);
    expect(answers).toEqual([]);
    cut(false);
    expect(await courier.probe(never)).toBe('');
    expect(answers).toEqual([1, 2]);
    await courier.probe(never);
    expect(asked.map(({ after }) => after)).toEqual([0, 0, 7]);
  });

  test('is asked for answers while an alert goes on, ever less, and then no more', async () => {
    const { courier, asked, clock } = open(() => ok(nothing));
    const stop = new AbortController();
    const running = courier.run(stop.signal);
    await clock.advance(3_600_000);
    expect(asked).toEqual([]);

    await courier.deliver(contact, message, stop.signal);
    await clock.advance(askMs.firstFor);
    const soon = asked.length;
    expect(soon).toBeGreaterThanOrEqual(60);
    await clock.advance(askMs.longest);
    const later = asked.length - soon;
    expect(later).toBeGreaterThan(300);
    expect(later).toBeLessThan(400);
    const all = asked.length;
    await clock.advance(3_600_000);
    expect(asked.length).toBe(all);
    stop.abort();
    await running;
  });
});
