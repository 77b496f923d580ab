/**
 * Acceptance 6 of the mission's third level: a thousand runs with a lossy line, a lossy far end, power cuts of the Key at
 * any write and any output, and kills of the host. No alert lost, no byte before the press, no position of a closed event
 * readable by anybody.
 */
import { describe, expect, test } from 'vitest';
import { cutMessage } from './core/alert-format.ts';
import { toHex } from './core/octets.ts';
import { pins, World } from './world.fixture.ts';

const runs = Number(process.env['KEY_RUNS'] ?? 1_000);
const first = Number(process.env['KEY_SEED'] ?? 1);

const isOpened = (world: World): boolean =>
  [0, 1].every((contact) => world.news.some((news) => news.contact === contact && news.news.is === 'opened'));

/** Whoever does not feel the countdown presses again: a power cut may take half of a press. */
const insist = (world: World): void => {
  for (let presses = 0; presses < 10; presses++) {
    if (world.felt.includes('countdown') || world.felt.includes('alert')) return;
    world.press(6_000 + world.chance.below(2_000));
    world.run(9_000);
  }
};

const live = (seed: number) => {
  const world = new World({ seed, lossPercent: 25, keyCuts: 8, hostKills: 3, docks: seed % 8 === 0 ? 1 : 0 });
  world.run(world.chance.below(20_000));
  const before = { written: world.written.length, located: world.located.length };
  const pressedMs = world.atMs;
  insist(world);
  world.run(600_000, () => isOpened(world));
  const opened = isOpened(world);
  world.run(world.chance.below(150_000));
  for (let tries = 0; world.stored.visible === 'alerting' && tries < 20; tries++) {
    world.give({ is: 'digits', digits: pins.cancel });
    world.run(2_000);
  }
  world.run(1_200_000, () => world.isResting);
  return { world, before, pressedMs, opened };
};

/** No number of the Key stands on two different messages: its nonces are these numbers. */
const reusedNumbers = (world: World): readonly number[] => {
  const byNumber = new Map<number, string>();
  return world.seenByHost.flatMap(({ message }) => {
    const { sequence } = cutMessage(message) ?? expect.fail();
    const text = toHex(message);
    const before = byNumber.get(sequence) ?? text;
    byNumber.set(sequence, text);
    return before === text ? [] : [sequence];
  });
};

/** The same day again and again, with the power cut once, at every single write, erasure and output in turn. */
test('a power cut at any one write or output loses no alert and reuses no number', () => {
  const day = (cutAt?: number): World => {
    const world = new World({ seed: 77, docks: 1, ...(cutAt === undefined ? {} : { cutAt }) });
    insist(world);
    world.run(100_000);
    world.give({ is: 'digits', digits: pins.cancel });
    world.run(5_000);
    if (world.stored.visible === 'alerting') world.give({ is: 'digits', digits: pins.cancel });
    world.run(1_000_000, () => world.isResting);
    return world;
  };
  const whole = day();
  expect(whole.operations).toBeGreaterThan(25);
  for (let cutAt = 0; cutAt < whole.operations; cutAt++) {
    const world = day(cutAt);
    expect([world.cuts, isOpened(world), reusedNumbers(world)], `cut at ${cutAt}`).toEqual([1, true, []]);
    const last = [0, 1].map(
      (contact) => world.news.findLast((news) => news.contact === contact && news.news.is !== 'again')?.news.is,
    );
    expect([last, world.stored.visible], `cut at ${cutAt}`).toEqual([['ended', 'ended'], 'dormant']);
  }
});

describe(`seeds ${first} to ${first + runs - 1} (KEY_SEED, KEY_RUNS)`, () => {
  test('no alert is lost, nothing leaves before the press, and a closed event stays closed', () => {
    let cuts = 0;
    for (let seed = first; seed < first + runs; seed++) {
      const { world, before, pressedMs, opened } = live(seed);
      const why = `KEY_SEED=${seed} KEY_RUNS=1`;
      expect(before, why).toEqual({ written: 0, located: 0 });
      expect(
        world.written.every(({ atMs }) => atMs > pressedMs),
        why,
      ).toBe(true);
      expect(opened, why).toBe(true);
      expect([world.stored.visible, world.stored.alert, world.board.refused], why).toEqual(['dormant', undefined, 0]);
      // Whoever kept every message: the contacts themselves open none of the positions again, nor does the Key hold a key.
      for (const { message } of world.seenByHost)
        if (cutMessage(message)?.type === 'update')
          for (const contact of world.contacts) expect(contact.receive(message, world.atMs).ok, why).toBe(false);
      expect(world.flashText, why).not.toContain('chainKey');
      expect(reusedNumbers(world), why).toEqual([]);
      cuts += world.cuts;
    }
    expect(cuts).toBeGreaterThan(runs);
  });
});
