/** The same state for programs: the stable codes, without words. */
import type { Change } from './history.ts';
import { aged, type Reading } from './reading.ts';

export const postureJson = (reading: Reading, changes: readonly Change[], nowBootMs: number): string => {
  const state =
    reading.kind === 'measured'
      ? { feed: 'up', nextStep: reading.nextStep, posture: aged(reading.posture, nowBootMs - reading.atBootMs) }
      : { feed: 'down', code: reading.code };
  const history = changes.map(({ code, level, atBootMs, atMs }) => ({
    code,
    level,
    ageMs: Math.max(0, nowBootMs - atBootMs),
    atMs,
  }));
  return JSON.stringify({ version: 1, ...state, history });
};
