/**
 * The shape of a message catalogue: what people read for each stable code, on the page and on the command line alike.
 *
 * A language is one file of this shape.
 */
import type { Lifecycle } from '#agents/management/lifecycle';
import type { FindingResult, Level } from '#protos/gen/types';
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

export type Remedies = Readonly<Record<Exclude<FindingResult, 'pass' | 'not-applicable'>, Remedy>>;
