import { describe, expect, test } from 'vitest';
import { english } from '#agents/posture/english';
import { findingKinds } from '#agents/posture/findings';
import type { Posture } from '#protos/gen/types';
import { samplePosture, samples } from './testing.ts';
import { type PageView, viewOf } from './view.ts';

const view = (posture: Posture, atBootMs = 0, nextStep = 'nothing') =>
  viewOf({ kind: 'measured', posture, nextStep, atBootMs: 0 }, [], atBootMs);
const down = viewOf({ kind: 'down', code: 'unavailable/program-down' }, [], 0);
const groupNames = ({ groups }: PageView) => groups.map(({ name }) => name);
const idsIn = ({ groups }: PageView, name: string) => groups.find((group) => group.name === name)?.findings.map(({ id }) => id);

describe('the view', () => {
  test('groups the findings in a fixed order, by who can change them', () => {
    const { good, reduced } = samples;
    expect(groupNames(view(good))).toEqual(['holds']);
    expect(groupNames(view(reduced))).toEqual(['you', 'administrator', 'holds']);
    expect(idsIn(view(reduced), 'you')).toEqual(['kernel-taint', 'inference-engine']);
    expect(idsIn(view(reduced), 'administrator')).toEqual(['listening-sockets']);
    expect(idsIn(view(reduced), 'holds')).toContain('swap');
  });

  test('says the state in a word, a sentence and a tone', () => {
    expect(view(samples.good)).toMatchObject({ code: 'as-expected', tone: 'good', level: 'strong', isAlarm: false });
    expect(view(samples.reduced)).toMatchObject({ code: 'reduced', tone: 'attention', level: 'basic', isAlarm: false });
    expect(view(samples.atRisk)).toMatchObject({ code: 'at-risk', tone: 'bad', level: 'none', isAlarm: false });
    const unenrolled = samplePosture({ lifecycle: { result: 'fail', value: 'unenrolled' } }, { lifecycle: 'unenrolled' });
    expect(view(unenrolled)).toMatchObject({ code: 'not-enrolled', tone: 'attention', isAlarm: false });
  });

  test('alarms for a device that is suspended, revoked or wiped, and for no other life', () => {
    for (const lifecycle of Object.keys(english.lifecycles)) {
      const { isAlarm, sentence } = view(samplePosture({}, { lifecycle }));
      expect(isAlarm, lifecycle).toBe(['suspended', 'revoked', 'wiped'].includes(lifecycle));
      expect(sentence).not.toBe('');
    }
  });

  test('knows nothing while the feed is down, and says so', () => {
    expect(down).toMatchObject({ code: 'program-down', tone: 'unknown', level: 'none' });
    expect(groupNames(down)).toEqual(['not-known']);
    expect(idsIn(down, 'not-known')).toEqual(findingKinds.map(({ id }) => id));
    expect(new Set(Object.values(down.ages))).toEqual(new Set(['not measured']));
    expect(down.next.text).toContain('enigmctl doctor');
  });

  test('tells a device without keys from one that does not answer', () => {
    const { code, next } = viewOf({ kind: 'down', code: 'unavailable/not-provisioned' }, [], 0);
    expect(code).toBe('not-provisioned');
    expect(next.text).toContain('enigmctl provision');
  });

  test('names the first findings to work on, and how many follow', () => {
    const { next } = view(samples.atRisk, 0, 'read-posture');
    expect(next.findings.map(({ id }) => id)).toEqual(['boot-log', 'attestation', 'programs']);
    expect(next.more).toBe(4);
    expect(view(samples.good).next).toEqual({ text: english.nextSteps['nothing'], findings: [], more: 0 });
  });

  test('explains a value that is a code of the fault table', () => {
    const found = view(samples.atRisk).groups.flatMap(({ findings }) => findings);
    expect(found.find(({ id }) => id === 'boot-log')?.valueMeaning).toContain('boot log');
    expect(found.find(({ id }) => id === 'tpm')?.valueMeaning).toBeUndefined();
  });

  test('says what each level waits for, and why it cannot rise', () => {
    const { ladder, cap } = view(samples.reduced);
    expect(ladder.map(({ level, state }) => `${level} ${state}`)).toEqual([
      'none start',
      'basic reached',
      'device waiting',
      'strong waiting',
    ]);
    expect(ladder.find(({ isPresent }) => isPresent)?.level).toBe('basic');
    expect(ladder.find(({ level }) => level === 'device')?.waitsFor).toEqual([english.findings['kernel-taint']?.title]);
    expect(cap).toBeUndefined();
    expect(view(samples.atRisk).cap).toBe(english.caps['software']);
    expect(view(samplePosture({ tpm: { value: 'not-vouched-for' } })).cap).toBe(english.caps['not-vouched-for']);
  });

  test('counts every age on from the real reading', () => {
    const ages = (atBootMs: number) => view(samples.atRisk, atBootMs).ages;
    expect(ages(0)['age-boot-log']).toBe('measured 12 s ago');
    expect(ages(5_000)['age-boot-log']).toBe('measured 17 s ago');
    expect(ages(5_000)['age-posture']).toBe('measured 5 s ago');
    expect(ages(5_000)['age-core-dumps']).toBe('not measured');
  });

  test('names what has grown old as the next thing to look at, whatever the device said before', () => {
    expect(view(samples.good, 60_001).next.findings.map(({ id }) => id)).toEqual(['programs']);
  });
});
