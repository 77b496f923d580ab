import { describe, expect, test } from 'vitest';
import type { Scenario } from '#sim/scenarios/scenario';
import type { DaySummary } from './summary.ts';
import { jsonTeller, type Named, storyTeller } from './teller.ts';

const scenario: Scenario = { step: 'attest', title: 'the device proves itself', run: async () => ({ evidence: {} }) };
const fault = { category: 'attestation', reason: 'log-replay', detail: 'register 11' } as const;
const good: DaySummary = { steps: 8, isAsExpected: true, ms: 7123.4, auditRecords: 62 };
const refused: DaySummary = { ...good, steps: 4, refusedAt: 'attest', fault };
const sabotage: Named = {
  name: 'bootlog',
  what: 'one digest is changed',
  step: 'attest',
  code: 'attestation/log-replay',
  before: {},
};

const told = (teller: typeof jsonTeller, tell: (teller: ReturnType<typeof jsonTeller>) => void) => {
  let text = '';
  tell(
    teller((more) => {
      text += more;
    }),
  );
  return text;
};
const story: typeof jsonTeller = (write) => storyTeller(write, false);

describe('the day as JSON', () => {
  test('is one object a step; a refusal has its code and no detail', () => {
    const text = told(jsonTeller, (teller) => {
      teller.says('for people');
      teller.begins(scenario);
      teller.ends(scenario, { evidence: { level: 'basic' } }, 12.6);
      teller.ends(scenario, { evidence: {}, fault }, 5);
    });
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { step: 'attest', outcome: 'ok', evidence: { level: 'basic' }, ms: 13 },
      { step: 'attest', outcome: 'refused', evidence: {}, ms: 5, fault: { category: 'attestation', reason: 'log-replay' } },
    ]);
  });

  test('ends with a summary that says whether a sabotage was refused as it must be', () => {
    const sums = (summary: DaySummary, named?: Named) =>
      (JSON.parse(told(jsonTeller, (teller) => teller.sums(summary, named))) as { readonly summary: object }).summary;
    expect(sums(good)).toEqual({ outcome: 'ok', steps: 8, ms: 7123, auditRecords: 62 });
    expect(sums(refused, sabotage)).toMatchObject({
      outcome: 'refused',
      break: 'bootlog',
      isAsExpected: true,
      refusedAt: 'attest',
    });
    // A sabotage that nobody noticed is no good day.
    expect(sums({ ...good, isAsExpected: false }, sabotage)).toMatchObject({ outcome: 'refused', isAsExpected: false });
  });
});

describe('the day as a story', () => {
  test('names each step, its outcome, its evidence and its time', () => {
    const text = told(story, (teller) => {
      teller.begins(scenario);
      teller.ends(scenario, { evidence: { level: 'basic' } }, 1260);
    });
    expect(text).toContain('attest: the device proves itself\n');
    expect(text).toMatch(/ok +1\.3 s\n +level +basic/);
  });

  test('ends with one line, and with a verdict on the sabotage', () => {
    expect(told(story, (teller) => teller.sums(good, undefined))).toContain(
      'day: 8 steps in 7.1 s, every step ended as it should; 62 audit records',
    );
    const verdict = (isAsExpected: boolean) => told(story, (teller) => teller.sums({ ...refused, isAsExpected }, sabotage));
    expect(verdict(true)).toContain('refused at attest with attestation/log-replay');
    expect(verdict(true)).toContain('): refused as it must be');
    expect(verdict(false)).toContain('NOT refused as it must be: expected attestation/log-replay at attest');
  });
});
