import { describe, expect, test } from 'vitest';
import { riskOf } from '#agents/defense/assessment';
import { imageModel } from '#agents/defense/image-model';
import { newJudge } from '#agents/defense/judge';
import { openModel } from '#agents/defense/model';
import { judgeWindow } from '#agents/defense/score';
import { isHeldBack, type Run, train } from '#agents/defense/train';
import { fromBase64, toBase64 } from '#hal/core/bytes';
import { codeOf, unwrap } from '#hal/core/result';
import { windowLimits } from '#hal/ports/signals';
import { windowsOf } from './syscalls.ts';
import { readCorpus } from './syscalls-corpus.ts';

const corpus = readCorpus();
const training = { version: 1, processor: 'x64' } as const;
const model = unwrap(openModel(fromBase64(imageModel) ?? new Uint8Array(), 'x64'));
const of = (name: string, variant: number): Run => corpus.find((run) => run.name === name && run.variant === variant) as Run;
const categoryOf = (app: string, threads: readonly (readonly number[])[]) =>
  newJudge(model).judge(windowsOf(app, threads), 0).assessment.category;
const isRisk = (category: Parameters<typeof riskOf>[0]) => riskOf(category) >= riskOf('suspicious');
/** The threads of a run, put together again from windows that overlap; the longest first. */
const threadsOf = ({ windows }: Run): readonly (readonly number[])[] => {
  const threads: number[][] = [];
  for (const calls of windows) {
    const last = threads.at(-1);
    const shift = Array.from({ length: windowLimits.step }, (_, index) => index + 1).find(
      (by) =>
        last !== undefined &&
        last.length >= calls.length &&
        last.slice(by - calls.length).every((call, at) => call === calls[at]),
    );
    if (last === undefined || shift === undefined) threads.push([...calls]);
    else last.push(...calls.slice(-shift));
  }
  return threads.toSorted((a, b) => b.length - a.length);
};
const threadOf = (run: Run): readonly number[] => threadsOf(run)[0] ?? [];
const ordinaryRuns = corpus.filter(({ conduct }) => conduct === 'ordinary');
const attacks = corpus.filter(({ conduct }) => conduct !== 'ordinary');

describe('the model of the image', () => {
  test('is what the recorded corpus makes, byte for byte', () => {
    expect(toBase64(unwrap(train({ ...training, runs: corpus })))).toBe(imageModel);
  });

  test('calls no window of an ordinary program that it did not learn from a risk', () => {
    const tried = ordinaryRuns.filter(isHeldBack);
    expect(tried.length).toBeGreaterThan(20);
    for (const { name, windows } of tried)
      for (const calls of windows) expect(isRisk(judgeWindow(model, calls).category), name).toBe(false);
  });

  test('names the conduct of every attack that it did not learn from', () => {
    const tried = attacks.filter(isHeldBack);
    expect(new Set(tried.map(({ conduct }) => conduct)).size).toBe(3);
    for (const { name, conduct, windows } of tried) {
      const said = windows.map((calls) => judgeWindow(model, calls).category);
      expect(said, name).toContain(conduct);
    }
  });
});

describe('a baseline', () => {
  test.each([...new Set(attacks.map(({ name }) => name))])('that somebody recorded while %s ran is refused', (name) => {
    const poisoned = corpus.map(
      (run): Run => (run.name === 'messenger' ? { ...run, windows: [...run.windows, ...of(name, run.variant).windows] } : run),
    );
    const trained = train({ ...training, runs: poisoned });
    expect(trained.ok || codeOf(trained.fault)).toBe('intelligence/baseline-refused');
  });

  test('of nothing is refused', () => {
    const trained = train({ ...training, runs: attacks });
    expect(trained.ok || codeOf(trained.fault)).toBe('intelligence/baseline-refused');
  });
});

describe('an attacker who knows the model', () => {
  const padding = threadOf(of('messenger', 4));

  test('finds ordinary calls to hide among, and windows that are put together as they were', () => {
    expect(padding.length).toBeGreaterThan(300);
    expect(categoryOf('a', [padding])).toBe('none');
    for (const run of ordinaryRuns.filter(({ variant }) => variant === 0))
      expect(isRisk(categoryOf(run.name, threadsOf(run))), run.name).toBe(false);
  });

  test.each([...new Set(attacks.map(({ name }) => name))])('gains nothing by ordinary calls before and after: %s', (name) => {
    const attack = threadOf(of(name, 1));
    expect(isRisk(categoryOf('a', [[...padding, ...attack, ...padding]]))).toBe(true);
  });

  test.each(['dropper', 'listener', 'unhooker', 'eraser'])('is seen with an ordinary call after each of its own: %s', (name) => {
    const attack = threadOf(of(name, 1));
    const spread = attack.flatMap((call, index) => [call, padding[index % padding.length] ?? 0]);
    expect(isRisk(categoryOf('a', [spread]))).toBe(true);
  });

  test.each(['dropper', 'unhooker', 'eraser'])('is seen when it does one call in a hundred: %s', (name) => {
    const foreign = threadOf(of(name, 1)).filter((call) => judgeWindow(model, [call]).unknown > 0);
    expect(foreign.length).toBeGreaterThan(3);
    const drip = Array.from({ length: 12 }, (_, round) => [
      ...padding.slice(0, 100),
      foreign[round % foreign.length] ?? 0,
    ]).flat();
    const windows = windowsOf('a', [drip]);
    expect(windows.length).toBeGreaterThan(15);
    expect(isRisk(newJudge(model).judge(windows, 0).assessment.category)).toBe(true);
  });

  test('is not seen in calls that ordinary programs make in the same order, which is the limit', () => {
    expect(isRisk(categoryOf('a', [...threadsOf(of('archiver', 0)), ...threadsOf(of('organizer', 0))]))).toBe(false);
  });
});
