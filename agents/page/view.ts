/** What the page shows: a pure function of what is known, of what was shown before, and of the boot clock. */

import type { Remedy } from '#agents/posture/catalogue';
import {
  findingWords,
  headlineSentence,
  headlineWords,
  levelWords,
  lifecycleSentence,
  lifecycleWords,
  nextStepWords,
  remedyOf,
  resultWords,
} from '#agents/posture/words';
import { explain } from '#hal/core/faults';
import type { Finding, FindingResult, Level, Posture } from '#protos/gen/types';
import { ageWords } from './age.ts';
import type { Change } from './history.ts';
import { capOf, ladderOf, type Rung } from './ladder.ts';
import { aged, holds, type Reading, unknownFindings } from './reading.ts';
import type { Tone } from './tone.ts';
import { words } from './words.ts';

export type GroupName = keyof typeof words.groups;

export interface PageView {
  /** Stable: the headline, the life of a device out of service, or why nothing is known. */
  readonly code: string;
  readonly tone: Tone;
  /** Suspended, revoked or wiped: said at once, not when there is a pause. */
  readonly isAlarm: boolean;
  readonly level: Level;
  readonly title: string;
  readonly sentence: string;
  readonly next: { readonly text: string; readonly findings: readonly FindingView[]; readonly more: number };
  readonly groups: readonly { readonly name: GroupName; readonly findings: readonly FindingView[] }[];
  readonly ladder: readonly Rung[];
  readonly cap: string | undefined;
  readonly changes: readonly Change[];
  /** What alone changes while nothing happens: the text of each element that shows an age. */
  readonly ages: Readonly<Record<string, string>>;
}

export interface FindingView {
  readonly id: string;
  readonly result: FindingResult;
  readonly resultWord: string;
  readonly levelWord: string;
  readonly title: string;
  readonly meaning: string;
  readonly why: string;
  readonly value: string | undefined;
  /** What the value means, where it is a code of the fault table. */
  readonly valueMeaning: string | undefined;
  readonly items: readonly string[];
  readonly remedy: Remedy | undefined;
}

export const viewOf = (reading: Reading, changes: readonly Change[], nowBootMs: number): PageView => {
  const posture = reading.kind === 'measured' ? aged(reading.posture, nowBootMs - reading.atBootMs) : undefined;
  const findings = posture?.findings ?? unknownFindings;
  const level = posture?.level ?? 'none';
  return {
    ...stateOf(reading, posture),
    level,
    next: nextOf(reading, posture),
    groups: groupsOf(findings, posture !== undefined),
    ladder: ladderOf(level, findings),
    cap: capOf(findings),
    changes,
    ages: agesOf(reading, findings, changes, nowBootMs),
  };
};

/** The elements that show an age. */
export const ageIds = {
  posture: 'age-posture',
  finding: (id: string) => `age-${id}`,
  change: (number: number) => `age-change-${number}`,
} as const;

const tones: Readonly<Record<string, Tone>> = {
  'as-expected': 'good',
  reduced: 'attention',
  'not-enrolled': 'attention',
  'not-provisioned': 'attention',
  'at-risk': 'bad',
};
const alarms = ['suspended', 'revoked', 'wiped'];

const stateOf = (
  reading: Reading,
  posture: Posture | undefined,
): Pick<PageView, 'code' | 'tone' | 'isAlarm' | 'title' | 'sentence'> => {
  if (posture === undefined) {
    const code = reading.kind === 'down' && reading.code === 'unavailable/not-provisioned' ? 'not-provisioned' : 'program-down';
    return code === 'program-down' ? { code, tone: 'unknown', isAlarm: false, ...words.down } : { code, ...headlineState(code) };
  }
  const { headline, lifecycle } = posture;
  if (headline !== 'not-active') return { code: headline, ...headlineState(headline) };
  const word = lifecycleWords(lifecycle);
  return {
    code: lifecycle,
    tone: alarms.includes(lifecycle) ? 'bad' : 'unknown',
    isAlarm: alarms.includes(lifecycle),
    title: word.charAt(0).toUpperCase() + word.slice(1),
    sentence: lifecycleSentence(lifecycle),
  };
};

const headlineState = (headline: string): Pick<PageView, 'tone' | 'isAlarm' | 'title' | 'sentence'> => ({
  tone: (Object.hasOwn(tones, headline) ? tones[headline] : undefined) ?? 'unknown',
  isAlarm: false,
  title: headlineWords(headline),
  sentence: headlineSentence(headline),
});

const maxNextFindings = 3;

/** The next step of the device; where that is to read the findings, the first of them by name. */
const nextOf = (reading: Reading, posture: Posture | undefined): PageView['next'] => {
  if (reading.kind === 'down') return { text: explain(reading.code)?.remedy ?? reading.code, findings: [], more: 0 };
  const wanting = groupsOf(posture?.findings ?? [], true)
    .filter(({ name }) => name !== 'holds')
    .flatMap(({ findings }) => findings);
  // A posture may have aged since the device named the next step.
  const nextStep = reading.nextStep === 'nothing' && wanting.length > 0 ? 'read-posture' : reading.nextStep;
  const named = nextStep === 'read-posture' ? wanting : [];
  return {
    text: named.length > 0 ? words.startWith : nextStepWords(nextStep),
    findings: named.slice(0, maxNextFindings),
    more: Math.max(0, named.length - maxNextFindings),
  };
};

/** In a fixed order; a group without findings is not shown. */
const groupsOf = (findings: readonly Finding[], isMeasured: boolean): PageView['groups'] => {
  const groupOf = (finding: Finding): GroupName => {
    if (!isMeasured) return 'not-known';
    return holds(finding) ? 'holds' : (remedyOf(finding.id, finding.result)?.owner ?? 'administrator');
  };
  const names = Object.keys(words.groups) as GroupName[];
  return names
    .map((name) => ({ name, findings: findings.filter((finding) => groupOf(finding) === name).map(findingView) }))
    .filter((group) => group.findings.length > 0);
};

const findingView = ({ id, result, level, value, items }: Finding): FindingView => {
  const { title, meaning, why } = findingWords(id);
  return {
    id,
    result,
    resultWord: resultWords(result),
    levelWord: levelWords(level),
    title,
    meaning,
    why,
    value,
    valueMeaning: value === undefined ? undefined : explain(value)?.meaning,
    items,
    remedy: remedyOf(id, result),
  };
};

const agesOf = (
  reading: Reading,
  findings: readonly Finding[],
  changes: readonly Change[],
  nowBootMs: number,
): Readonly<Record<string, string>> => {
  const { measured, never } = words.age;
  const ages: Record<string, string> = {};
  ages[ageIds.posture] = reading.kind === 'measured' ? measured(ageWords(nowBootMs - reading.atBootMs)) : never;
  for (const { id, result, ageMs } of findings)
    ages[ageIds.finding(id)] = result === 'unknown' ? never : measured(ageWords(ageMs));
  for (const { number, atBootMs } of changes) ages[ageIds.change(number)] = ageWords(nowBootMs - atBootMs);
  return ages;
};
