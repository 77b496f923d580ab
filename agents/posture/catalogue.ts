/**
 * The message catalogue: what people read for each stable code, on the page and on the command line alike.
 *
 * Another language is one more file of this shape. A code without words, from a newer program, is shown as it is.
 */
import type { Lifecycle } from '#agents/management/lifecycle';
import type { FindingResult, Level } from '#protos/gen/types';
import { english } from './english.ts';
import type { Headline } from './level.ts';

export interface Catalogue {
  readonly findings: Readonly<Record<string, FindingWords & { readonly remedies: Partial<Remedies> }>>;
  /** Where a finding has no remedy of its own for a result. */
  readonly commonRemedies: Remedies;
  readonly results: Readonly<Record<FindingResult, string>>;
  readonly levels: Readonly<Record<Level, { readonly word: string; readonly meaning: string }>>;
  /** Why the level cannot rise, by what the finding `tpm` read (SR-23). */
  readonly caps: Readonly<Record<string, string>>;
  readonly headlines: Readonly<Record<Headline, HeadlineWords>>;
  readonly lifecycles: Readonly<Record<Lifecycle, { readonly word: string; readonly sentence: string }>>;
  readonly nextSteps: Readonly<Record<string, string>>;
  /** What this device does not prove. */
  readonly limits: readonly string[];
}

export interface FindingWords {
  /** A noun that reads well beside every result. */
  readonly title: string;
  /** What is so where it holds. */
  readonly meaning: string;
  /** What becomes possible where it does not hold. */
  readonly why: string;
}

export interface HeadlineWords {
  readonly title: string;
  readonly sentence: string;
}

/** What would change a finding, and who can do it. */
export interface Remedy {
  readonly owner: 'you' | 'administrator';
  readonly text: string;
}

type Remedies = Readonly<Record<Exclude<FindingResult, 'pass' | 'not-applicable'>, Remedy>>;

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
