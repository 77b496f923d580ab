/** The words for each stable code. A code without words, from a newer program, is shown as it is. */
import type { FindingResult, Level } from '#protos/gen/types';
import type { FindingWords, Remedy } from './catalogue.ts';
import { english } from './english.ts';

const wordsFor = <T>(table: Readonly<Record<string, T>>, code: string): T | undefined =>
  Object.hasOwn(table, code) ? table[code] : undefined;

export const findingWords = (id: string): FindingWords => wordsFor(english.findings, id) ?? { title: id, meaning: '', why: '' };

/** Undefined where nothing needs to change. */
export const remedyOf = (id: string, result: FindingResult): Remedy | undefined =>
  result === 'pass' || result === 'not-applicable'
    ? undefined
    : (wordsFor(english.findings, id)?.remedies[result] ?? english.commonRemedies[result]);

export const remedyWords = (id: string, result: FindingResult): string => remedyOf(id, result)?.text ?? '';
export const resultWords = (result: FindingResult): string => english.results[result];
export const levelWords = (level: Level): string => english.levels[level].word;
export const levelMeaning = (level: Level): string => english.levels[level].meaning;
export const capWords = (tpm: string): string | undefined => wordsFor(english.caps, tpm);
export const headlineWords = (headline: string): string => wordsFor(english.headlines, headline)?.title ?? headline;
export const headlineSentence = (headline: string): string => wordsFor(english.headlines, headline)?.sentence ?? '';
export const lifecycleWords = (lifecycle: string): string => wordsFor(english.lifecycles, lifecycle)?.word ?? lifecycle;
export const lifecycleSentence = (lifecycle: string): string => wordsFor(english.lifecycles, lifecycle)?.sentence ?? '';
export const nextStepWords = (nextStep: string): string => wordsFor(english.nextSteps, nextStep) ?? nextStep;
export const limits: readonly string[] = english.limits;
