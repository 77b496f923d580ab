import { describe, expect, test } from 'vitest';
import { askedSeed, replayable } from './replay.fixture.ts';
import { liveThroughStorm } from './storm.fixture.ts';

const steps = 120;
const seeds = askedSeed === undefined ? Array.from({ length: 10 }, (_, index) => String(index + 1)) : [askedSeed];
const live = (seed: string) => replayable(seed, 'unit', 'sim/world/storm.test.ts', () => liveThroughStorm({ seed, steps }));

describe('a mind in a storm', () => {
  test.each(seeds)(
    'seed %s: loses no acknowledged record, allows nothing without facts, and decides again after it',
    async (seed) => {
      const story = await live(seed);
      expect(story.decisions).toBeGreaterThan(5);
      expect(story.records).toBeGreaterThan(20);
    },
  );

  test('is the same storm again for the same seed, and another for another', async () => {
    const [seed = '1'] = seeds;
    const first = await live(seed);
    expect(await live(seed)).toEqual(first);
    expect((await live(`${seed}-other`)).hash).not.toBe(first.hash);
  });
});
