import { describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { cutMessage } from './core/alert-format.ts';
import { capsuleAgeMs } from './runtime/capsules.ts';
import { pins, World } from './world.fixture.ts';

const told = (world: World, contact: number) => world.news.filter((news) => news.contact === contact).map(({ news }) => news.is);

describe('an emergency', () => {
  test('from press to end: nothing before, sealed to each contact, positions while it lasts, nothing left', () => {
    const world = new World({ seed: 1, docks: 1 });
    world.run(60_000);
    expect([world.written, world.located, world.felt]).toEqual([[], [], []]);
    world.press(6_000);
    world.run(20_000);
    expect(world.felt).toEqual(['press', 'countdown', 'alert', 'ack', 'ack']);
    expect(world.stored.visible).toBe('alerting');
    world.run(130_000);
    world.give({ is: 'digits', digits: pins.cancel });
    world.run(30_000);
    for (const contact of [0, 1]) {
      const [first, ...rest] = told(world, contact);
      expect([first, ...new Set(rest)]).toEqual(['opened', 'position', 'ended']);
      expect(rest.filter((is) => is === 'position')).toHaveLength(3);
    }
    expect(world.stored).toMatchObject({ visible: 'dormant' });
    expect(world.stored.alert).toBeUndefined();
    expect(world.board.refused).toBe(0);
  });

  test('a release during arming and a cancel in the countdown send nothing and are felt', () => {
    const world = new World({ seed: 2 });
    world.press(2_500);
    world.run(30_000);
    world.press(6_000);
    world.run(8_000);
    world.give({ is: 'digits', digits: pins.cancel });
    world.run(60_000);
    expect(world.felt).toEqual(['press', 'cancel', 'press', 'countdown', 'cancel']);
    expect([world.written, world.located]).toEqual([[], []]);
    expect(world.stored.alert).toBeUndefined();
  });

  test('an empty store of capsules falls back to sealing live; the same messages arrive', () => {
    for (const docks of [0, 1]) {
      const world = new World({ seed: 3, docks });
      world.press(6_000);
      world.run(20_000);
      expect([told(world, 0)[0], told(world, 1)[0]]).toEqual(['opened', 'opened']);
    }
  });

  test('tiers follow when nobody answers, and stop when somebody has', () => {
    const silent = new World({ seed: 4, contacts: 4, lossPercent: 100 });
    silent.press(6_000);
    silent.run(500_000);
    const invited = (world: World) => new Set([...(world.stored.alert?.engaged ?? [])].map(({ contact }) => contact)).size;
    expect(invited(silent)).toBe(4);
    const heard = new World({ seed: 4, contacts: 4 });
    heard.press(6_000);
    heard.run(500_000);
    expect(invited(heard)).toBe(2);
  });

  test('a contact of a later tier opens no position before it was told', () => {
    const world = new World({ seed: 5, contacts: 4, silent: [0, 1] });
    world.press(6_000);
    world.run(400_000);
    const positions = world.news.filter(({ contact, news }) => contact === 2 && news.is === 'position');
    const indexes = positions.map(({ news }) => (news.is === 'position' ? news.index : -1));
    expect(indexes[0]).toBeGreaterThan(1);
    const early = world.seenByHost.map(({ message }) => message).find((message) => cutMessage(message)?.type === 'update');
    expect(world.contacts[2]?.receive(early ?? new Uint8Array(0), world.atMs).ok).toBe(false);
  });

  describe('one contact cannot silence it (SR-27)', () => {
    const alerting = (seed: number) => {
      const world = new World({ seed, contacts: 3 });
      world.press(6_000);
      world.run(30_000);
      const opened = world.news.find(({ news }) => news.is === 'opened')?.news;
      return { world, event: opened?.event ?? '' };
    };

    test('RESOLVED by one mutes that one', () => {
      const { world, event } = alerting(7);
      world.answer(0, event, 'resolved');
      world.run(200_000);
      expect(world.stored.visible).toBe('alerting');
      const late = world.news.filter(({ atMs, news }) => news.is === 'position' && atMs > world.atMs - 150_000);
      expect(new Set(late.map(({ contact }) => contact))).toEqual(new Set([1]));
    });

    test('by two named contacts ends it after a minute without objection', () => {
      const { world, event } = alerting(8);
      for (const contact of [0, 1]) world.answer(contact, event, 'resolved');
      world.run(50_000);
      expect([world.stored.visible, world.felt.at(-1)]).toEqual(['alerting', 'ending']);
      world.run(30_000);
      expect(world.stored.visible).toBe('dormant');
      expect([told(world, 0).at(-1), told(world, 1).at(-1)]).toEqual(['ended', 'ended']);
    });

    test('a press objects, and the same answers played back say nothing more', () => {
      const { world, event } = alerting(9);
      const said = [0, 1].map((contact) => world.contacts[contact]?.answer(event, 'resolved') ?? new Uint8Array(0));
      const play = () => {
        for (const ack of said) world.hear(ack);
      };
      play();
      world.run(30_000);
      world.press(2_500);
      world.run(10_000);
      play();
      world.run(200_000);
      expect(world.stored.visible).toBe('alerting');
    });

    test('never under duress', () => {
      const { world, event } = alerting(10);
      world.give({ is: 'digits', digits: pins.duress });
      world.run(120_000);
      for (const contact of [0, 1]) world.answer(contact, event, 'resolved');
      world.run(300_000);
      expect(world.stored.covert).toBeDefined();
    });
  });

  test('three wrong PINs lock the input until the next event, each counted before it is felt', () => {
    const world = new World({ seed: 11 });
    world.press(6_000);
    world.run(30_000);
    for (let tries = 1; tries <= 5; tries++) {
      world.give({ is: 'digits', digits: pins.wrong });
      expect(world.stored.tries).toBe(Math.min(3, tries));
    }
    world.give({ is: 'digits', digits: pins.cancel });
    expect(world.stored.visible).toBe('alerting');
    expect(world.felt.filter((pattern) => pattern === 'refused')).toHaveLength(3);
  });

  test('a low battery is told at once, and positions become rare', () => {
    const world = new World({ seed: 12 });
    world.press(6_000);
    world.run(30_000);
    const before = world.located.length;
    world.give({ is: 'battery', percent: 9 });
    world.run(10_000);
    expect(world.located.length).toBe(before + 1);
    const last = world.news.findLast(({ news }) => news.is === 'position')?.news;
    expect(last).toMatchObject({ battery: { percent: 9, isLow: true } });
    world.run(280_000);
    expect(world.located.length).toBe(before + 1);
  });

  test('it ends by itself after a day, and a test after ten minutes', () => {
    const world = new World({ seed: 13 });
    world.press(6_000);
    world.run(86_300_000);
    expect(world.stored.visible).toBe('alerting');
    world.run(300_000);
    expect(world.stored.visible).toBe('dormant');
    expect(told(world, 0).at(-1)).toBe('ended');
  });

  test('capsules older than 30 days are not used, and a watchdog erases them (SR-26)', () => {
    const world = new World({ seed: 14, docks: 1 });
    const stored = () => world.vaultText.match(/"enc"/g)?.length ?? 0;
    expect(stored()).toBe(8);
    world.run(capsuleAgeMs);
    world.give({ is: 'watchdog' });
    expect(stored()).toBe(8);
    world.run(1_000);
    world.give({ is: 'watchdog' });
    expect(stored()).toBe(0);
  });

  test('what stays is an audit entry without place, person or exact time', () => {
    const world = new World({ seed: 15 });
    world.press(6_000);
    world.run(100_000);
    world.give({ is: 'digits', digits: pins.cancel });
    world.run(60_000);
    expect(world.stored.audit.entries).toMatchObject([{ purpose: 'alert', ending: 'cancel', answered: 2, quarter: 1 }]);
    for (const { message } of world.seenByHost) expect(world.flashText).not.toContain(toHex(message.subarray(1, 17)));
  });
});
