import { describe, expect, test } from 'vitest';
import type { CallWindow } from '#hal/ports/signals';
import { maxApps, newJudge, riskLifeMs } from './judge.ts';
import { foreignCall, ordinaryCalls, testModel, withCalls } from './model.fixture.ts';

const by = (app: string, ...all: readonly (readonly number[])[]): readonly CallWindow[] => all.map((calls) => ({ app, calls }));
const clean = withCalls();
const odd = withCalls([5, 700], [20, 701], [40, 702], [60, 703]);

describe('what a judge says', () => {
  test.each(Object.entries(foreignCall))('names a window by what it does: %s', (category, call) => {
    const { assessment } = newJudge(testModel).judge(by('an-app', clean, withCalls([64, call])), 0);
    expect(assessment).toMatchObject({ category, app: 'an-app', band: 'weak' });
    expect(assessment.score).toBeGreaterThan(80);
  });

  test('has nothing to say of ordinary windows, and is surer the more it has seen', () => {
    const judge = newJudge(testModel);
    expect(judge.judge([], 0).assessment).toMatchObject({ category: 'none', band: 'weak', guidance: 'nothing' });
    expect(judge.judge(by('a', ...Array<typeof clean>(8).fill(clean)), 0).assessment).toMatchObject({
      category: 'none',
      band: 'fair',
    });
    expect(judge.judge(by('a', ...Array<typeof clean>(56).fill(clean)), 0).assessment).toMatchObject({
      category: 'none',
      band: 'strong',
    });
  });

  test('calls what the baseline never did suspicious, and no more than that', () => {
    const { assessment, windows } = newJudge(testModel).judge(by('a', odd), 0);
    expect(assessment).toMatchObject({ category: 'suspicious', guidance: 'close-unknown-apps' });
    expect(windows[0]?.unknown).toBeGreaterThan(12);
  });

  test('keeps what it saw for a while, whatever ordinary comes after it', () => {
    const judge = newJudge(testModel);
    judge.judge(by('a', withCalls([9, foreignCall.tamper])), 1_000);
    const later = by('a', ...Array<typeof clean>(40).fill(clean));
    expect(judge.judge(later, 1_000 + riskLifeMs).assessment.category).toBe('tamper');
    expect(judge.judge(later, 1_001 + riskLifeMs).assessment.category).toBe('none');
  });

  test('is surer of a risk the more windows show it', () => {
    const judge = newJudge(testModel);
    const bands = Array.from({ length: 4 }, () => judge.judge(by('a', withCalls([9, foreignCall.tamper])), 0).assessment.band);
    expect(bands).toEqual(['weak', 'fair', 'fair', 'strong']);
  });

  test('says the worst of all apps, and whose it is', () => {
    const judge = newJudge(testModel);
    judge.judge(
      [...by('bad', withCalls([9, foreignCall['malware-like']])), ...by('worse', withCalls([9, foreignCall.tamper]))],
      0,
    );
    expect(judge.judge(by('good', clean), 1).assessment).toMatchObject({ category: 'tamper', app: 'worse' });
  });

  test('sees a slow drip: one foreign call in a window, each too little by itself', () => {
    const judge = newJudge(testModel);
    const drop = withCalls([100, 800]);
    const seen = Array.from({ length: 8 }, () => judge.judge(by('slow', drop), 0).assessment.category);
    expect(seen[0]).toBe('low');
    expect(seen).toContain('suspicious');
    expect(seen.indexOf('suspicious')).toBeGreaterThan(1);
  });

  test('does not see a drip below the allowance, which is its limit', () => {
    const judge = newJudge(testModel);
    const rounds = Array.from({ length: 60 }, () =>
      judge.judge(by('slower', withCalls([100, 800]), ...Array<typeof clean>(12).fill(clean)), 0),
    );
    expect(rounds.every(({ assessment }) => assessment.category === 'low')).toBe(true);
  });

  test('does not add up the drips of different apps', () => {
    const judge = newJudge(testModel);
    const seen = Array.from(
      { length: 30 },
      (_, index) => judge.judge(by(`app-${index}`, withCalls([100, 800])), 0).assessment.category,
    );
    expect(new Set(seen)).toEqual(new Set(['low']));
  });

  test('does not forget a risk because many other apps appear', () => {
    const judge = newJudge(testModel);
    judge.judge(by('bad', withCalls([9, foreignCall.tamper])), 0);
    for (let index = 0; index < 3 * maxApps; index += 1) judge.judge(by(`filler-${index}`, clean), 0);
    expect(judge.judge([], 0).assessment).toMatchObject({ category: 'tamper', app: 'bad' });
  });

  test('learns nothing from what it sees: the thousandth attack is scored like the first', () => {
    const judge = newJudge(testModel);
    const score = () => judge.judge(by('a', odd), 0).windows[0]?.score;
    const first = score();
    for (let round = 0; round < 1_000; round += 1) score();
    expect(score()).toBe(first);
    expect(ordinaryCalls).toHaveLength(128);
  });
});
