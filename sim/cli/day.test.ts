import { describe, expect, test } from 'vitest';
import { ok } from '#hal/core/result';
import type { Sabotage } from '#sim/scenarios/sabotage';
import type { Scenario, StepName, StepResult } from '#sim/scenarios/scenario';
import type { World } from '#sim/world/world';
import { liveDay } from './day.ts';

const world = { device: { app: { call: async () => ok({ auditSize: 7 }) } } } as unknown as World;
const clock = { nowMs: () => 0, bootMs: () => 0, sleep: async () => undefined };
const fault = { category: 'attestation', reason: 'log-replay' } as const;
const step = (name: StepName, run: () => Promise<StepResult> = async () => ({ evidence: {} })): Scenario => ({
  step: name,
  title: name,
  run,
});
const refuses = async () => ({ evidence: {}, fault });
const sabotageOf = (name: StepName, code: string, before: Sabotage['before'] = {}): Sabotage => ({
  what: 'a test',
  step: name,
  code,
  before,
});

const live = async (scenarios: readonly Scenario[], sabotage?: Sabotage, ending = new AbortController()) => {
  const told: string[] = [];
  const teller = {
    begins: ({ step: name }: Scenario) => void told.push(name),
    ends: () => undefined,
    sums: () => undefined,
    says: () => undefined,
  };
  return { summary: await liveDay(world, scenarios, sabotage, clock, teller, ending.signal), told };
};

describe('one day', () => {
  test('lives every step in order', async () => {
    const { summary, told } = await live([step('provision'), step('enrol')]);
    expect(told).toEqual(['provision', 'enrol']);
    expect(summary).toEqual({ steps: 2, isAsExpected: true, ms: 0, auditRecords: 7 });
  });

  test('ends at the first refusal', async () => {
    const { summary, told } = await live([step('provision'), step('attest', refuses), step('handle')]);
    expect(told).toEqual(['provision', 'attest']);
    expect(summary).toMatchObject({ steps: 2, isAsExpected: false, refusedAt: 'attest', fault });
  });

  test('takes a step that throws as one that did not happen', async () => {
    const { summary } = await live([step('boot', () => Promise.reject(new Error('after 15000 ms still not: it answers')))]);
    expect(summary).toMatchObject({ isAsExpected: false, fault: { category: 'unavailable', reason: 'program-down' } });
  });

  test('stops before the next step when it is interrupted', async () => {
    const ending = new AbortController();
    const interrupts = async () => {
      ending.abort();
      return { evidence: {} };
    };
    const { summary, told } = await live([step('provision', interrupts), step('enrol')], undefined, ending);
    expect(told).toEqual(['provision']);
    expect(summary.isAsExpected).toBe(false);
  });

  test.each([
    ['the right step with the right code', sabotageOf('attest', 'attestation/log-replay'), refuses, true],
    ['the right step with another code', sabotageOf('attest', 'attestation/nonce-mismatch'), refuses, false],
    ['another step', sabotageOf('boot', 'attestation/log-replay'), refuses, false],
    ['nobody', sabotageOf('attest', 'attestation/log-replay'), undefined, false],
  ])('with a sabotage that is refused by %s', async (_, sabotage, run, isAsExpected) => {
    const { summary } = await live([step('boot'), step('attest', run)], sabotage);
    expect(summary.isAsExpected).toBe(isAsExpected);
  });

  test('is sabotaged just before the step that the sabotage names', async () => {
    const order: string[] = [];
    const notes = (name: string) => async () => {
      order.push(name);
      return { evidence: {} };
    };
    const before = { attest: () => void order.push('sabotage') };
    await live([step('boot', notes('boot')), step('attest', notes('attest'))], sabotageOf('attest', 'x/y', before));
    expect(order).toEqual(['boot', 'sabotage', 'attest']);
  });
});
