import { describe, expect, test } from 'vitest';
import type { Posture } from '#protos/gen/types';
import { announcementOf } from './announce.ts';
import { samples } from './testing.ts';
import { viewOf } from './view.ts';

const view = (posture: Posture, atBootMs = 0, nextStep = 'nothing') =>
  viewOf({ kind: 'measured', posture, nextStep, atBootMs: 0 }, [], atBootMs);

describe('an announcement', () => {
  test('names the new headline and the findings that changed', () => {
    const text = announcementOf(view(samples.good), view(samples.reduced));
    expect(text).toContain('Reduced. ');
    expect(text).toContain('Kernel taint: fails.');
    expect(text).toContain('1 more finding changed.');
  });

  test('is empty where nothing changed', () => {
    expect(announcementOf(view(samples.good), view(samples.good, 5_000))).toBe('');
  });

  test('tells a reader who comes back the headline', () => {
    expect(announcementOf(undefined, view(samples.atRisk))).toMatch(/^At risk\. /);
  });

  test('leaves the word to an alarm', () => {
    expect(announcementOf(view(samples.good), view(samples.suspended))).toBe('');
    expect(announcementOf(undefined, view(samples.suspended))).toBe('');
  });
});
