import { describe, expect, test } from 'vitest';
import type { Change } from './history.ts';
import { postureJson } from './posture-json.ts';
import { samples } from './testing.ts';

describe('the JSON view', () => {
  test('carries codes and aged findings, no words', () => {
    const changes: readonly Change[] = [
      { code: 'at-risk', title: 'At risk', level: 'none', tone: 'bad', number: 1, atBootMs: 1_000, atMs: 5 },
    ];
    const json = JSON.parse(
      postureJson({ kind: 'measured', posture: samples.good, nextStep: 'nothing', atBootMs: 0 }, changes, 61_000),
    );
    expect(json).toMatchObject({
      version: 1,
      feed: 'up',
      nextStep: 'nothing',
      posture: { headline: 'at-risk', level: 'none' },
      history: [{ code: 'at-risk', level: 'none', ageMs: 60_000, atMs: 5 }],
    });
    expect(json.history[0]).not.toHaveProperty('title');
  });

  test('says why nothing is known', () => {
    expect(JSON.parse(postureJson({ kind: 'down', code: 'unavailable/program-down' }, [], 0))).toEqual({
      version: 1,
      feed: 'down',
      code: 'unavailable/program-down',
      history: [],
    });
  });
});
