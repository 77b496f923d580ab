import { describe, expect, test } from 'vitest';
import { type DoorParts, feedDoor } from '#agents/api/door';
import { lifecycle as lifecycleTable } from '#agents/management/lifecycle';
import { unwrap } from '#hal/core/result';
import { english } from './english.ts';
import { findingKinds } from './findings.ts';
import { type Headline, headlineOf, levelOf, levels } from './level.ts';
import {
  capWords,
  findingWords,
  headlineSentence,
  headlineWords,
  levelMeaning,
  levelWords,
  lifecycleSentence,
  lifecycleWords,
  limits,
  nextStepWords,
  remedyOf,
  remedyWords,
  resultWords,
} from './words.ts';

const everyText = (value: unknown): string[] =>
  typeof value === 'string' ? [value] : Object.values(value as object).flatMap((inner) => everyText(inner));

/** Every slug that `device.status` can answer with. */
const reachableNextSteps = async (): Promise<Set<string>> => {
  const steps = new Set<string>();
  for (const lifecycle of Object.keys(lifecycleTable))
    for (const headline of Object.keys(english.headlines))
      for (const result of [undefined, { atBootMs: 0 }]) {
        const parts = {
          state: { current: () => ({ lifecycle }) },
          trust: { posture: () => ({ level: 'none', headline }), result: () => result, attestationFault: () => undefined },
          audit: { status: () => ({ state: 'intact', size: 0 }) },
          clock: { bootMs: () => 0 },
        } as unknown as DoorParts;
        const status = await feedDoor(parts)['device.status']({}, new AbortController().signal);
        steps.add(unwrap(status).nextStep);
      }
  return steps;
};

describe('the message catalogue', () => {
  test('has words for every finding, and for nothing else', () => {
    expect(Object.keys(english.findings)).toEqual(findingKinds.map(({ id }) => id));
    for (const { id } of findingKinds) {
      const { title, meaning, why } = findingWords(id);
      expect(title, id).toMatch(/^[A-Z][A-Za-z -]{4,30}$/);
      for (const text of [meaning, why]) expect(text, id).toMatch(/^.{20,}\.$/);
    }
  });

  test('has a remedy with an owner for every result that is not fine, and none for the others', () => {
    for (const { id } of findingKinds) {
      for (const result of ['fail', 'unknown', 'stale'] as const) {
        expect(remedyWords(id, result), `${id} ${result}`).toMatch(/\.$/);
        expect(['you', 'administrator']).toContain(remedyOf(id, result)?.owner);
      }
      for (const result of ['pass', 'not-applicable'] as const) expect(remedyWords(id, result)).toBe('');
    }
  });

  test('uses every remedy: the common ones where a finding has none of its own', () => {
    for (const result of ['fail', 'unknown', 'stale'] as const)
      expect(
        findingKinds.some(({ id }) => remedyOf(id, result) === english.commonRemedies[result]),
        result,
      ).toBe(true);
  });

  test('has words for every next step that a device can name, and for no other', async () => {
    expect([...(await reachableNextSteps())].sort()).toEqual(Object.keys(english.nextSteps).sort());
    for (const step of Object.keys(english.nextSteps)) expect(nextStepWords(step)).toMatch(/\.$/);
  });

  test('has words for every headline, life, level and result', () => {
    const reachable = new Set<string>();
    for (const life of Object.keys(lifecycleTable))
      for (const level of levels)
        for (const result of ['pass', 'fail'] as const)
          reachable.add(headlineOf(level, life, [{ id: 'tpm', result, level: 'basic', ageMs: 0, items: [] }]));
    // The mind is not there to say it where a device is not provisioned: the page and the command line say it.
    reachable.add('not-provisioned' satisfies Headline);
    expect([...reachable].sort()).toEqual(Object.keys(english.headlines).sort());
    for (const headline of reachable) {
      expect(headlineWords(headline)).not.toBe(headline);
      expect(headlineSentence(headline)).toMatch(/\.$/);
    }
    for (const life of Object.keys(lifecycleTable)) {
      expect(lifecycleWords(life).length).toBeGreaterThan(3);
      expect(lifecycleSentence(life)).toMatch(/\.$/);
    }
    for (const level of levels) expect(`${levelWords(level)} ${levelMeaning(level)}`).toMatch(/\.$/);
    for (const result of Object.keys(english.results) as (keyof typeof english.results)[])
      expect(resultWords(result).length).toBeGreaterThan(3);
  });

  test('says why the level cannot rise, for each reading of the TPM that caps it (SR-23)', () => {
    expect(Object.keys(english.caps).sort()).toEqual(['not-vouched-for', 'software', 'virtual']);
    const findings = findingKinds.map(({ id, level }) => ({ id, level, result: 'pass' as const, ageMs: 0, items: [] }));
    for (const tpmClass of ['discrete', 'firmware', 'virtual', 'software', undefined] as const)
      expect(capWords(tpmClass ?? 'not-vouched-for') === undefined, String(tpmClass)).toBe(
        levelOf(findings, tpmClass) === 'strong',
      );
  });

  test('states every limit of the mission', () => {
    const said = limits.join(' ').toLowerCase();
    for (const limit of [
      'signal, not a guarantee',
      'end-to-end encryption',
      'account',
      'keys',
      'whom you trust',
      'attention',
      'authorised access',
      'wipe',
      'unsafe behaviour',
      'social engineering',
      'trusted person',
      'other end',
      'vulnerabilities',
      'passes on',
      'recording',
      'weak operation',
    ])
      expect(said).toContain(limit);
  });

  test('never claims that something is secure: the word stands only in the name of Secure Boot', () => {
    for (const text of everyText(english)) expect(text.replaceAll('Secure Boot', '')).not.toMatch(/\bsecure/i);
  });

  test('shows a code without words as it is', () => {
    expect(findingWords('new-finding').title).toBe('new-finding');
    expect(remedyWords('new-finding', 'fail')).toBe(english.commonRemedies.fail.text);
    expect([headlineWords('new-one'), headlineSentence('new-one')]).toEqual(['new-one', '']);
    expect([lifecycleWords('constructor'), lifecycleSentence('constructor')]).toEqual(['constructor', '']);
    expect(nextStepWords('toString')).toBe('toString');
  });
});
