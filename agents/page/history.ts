/** What the page has shown since it started: changes of the headline, newest first, so many and no more. */
import type { Level } from '#protos/gen/types';
import type { Tone } from './tone.ts';

export interface Shown {
  /** Stable: the headline, the life of a device out of service, or why nothing is known. */
  readonly code: string;
  readonly title: string;
  readonly level: Level;
  readonly tone: Tone;
}

export interface Change extends Shown {
  /** Counts from 1; names the entry on the page. */
  readonly number: number;
  readonly atBootMs: number;
  /** Wall time: for people only (SR-16). */
  readonly atMs: number;
}

export const maxChanges = 20;

/** @returns the same list where nothing changed */
export const remembered = (
  changes: readonly Change[],
  { code, title, level, tone }: Shown,
  at: Pick<Change, 'atBootMs' | 'atMs'>,
): readonly Change[] => {
  const [last] = changes;
  if (last?.code === code && last.level === level) return changes;
  return [{ code, title, level, tone, number: (last?.number ?? 0) + 1, ...at }, ...changes].slice(0, maxChanges);
};
