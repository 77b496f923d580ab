import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordsOf } from '#agents/audit/audit.fixture';
import { startTestMind, type TestMind } from '#agents/mind/mind.fixture';
import { codeOf, deny, ok, type Result, unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import { memorySignals } from '#hal/memory/signals';
import type { Inference } from '#hal/ports/inference';
import type { Signals } from '#hal/ports/signals';
import { type Defense, newDefense } from './defense.ts';
import type { OutcomeIntake } from './intake.ts';
import { encodeModel, foreignCall, processor, testModel, withCalls } from './model.fixture.ts';
import { openModels } from './models.ts';
import { judgeWindow } from './score.ts';

const minuteMs = 60_000;
const engine = { engine: 'wasm', version: '4.22.0' };

describe('Active Defense', () => {
  let mind: TestMind;
  let signals: ReturnType<typeof memorySignals>;
  /** How the tensor engine answers. */
  let scores: Inference['score'];
  let defense: Defense;
  const agreeing: Inference['score'] = async (_, windows) => ok(windows.map(({ calls }) => judgeWindow(testModel, calls).scores));

  const start = (source: Signals) =>
    newDefense({
      ...mind,
      signals: source,
      inference: { selfTest: async () => ok(engine), score: (...asked) => scores(...asked) },
      models: openModels({ store: memoryStore(), log: mind.log, image: encodeModel(), processor }),
      outcomes: { current: () => [] } as unknown as OutcomeIntake,
    });
  beforeEach(async () => {
    mind = await startTestMind();
    signals = memorySignals();
    scores = agreeing;
    defense = start(signals);
  });
  afterEach(() => mind[Symbol.asyncDispose]());

  const offer = (...all: readonly (readonly number[])[]) => signals.offer(all.map((calls) => ({ app: 'an-app', calls })));
  const category = () =>
    mind.trust.facts({ audit: 'intact', lifecycle: 'active', isTimeKnown: true, isEnrolled: true }).intelligence?.value.category;
  const assessments = () => recordsOf(mind.audit).filter(({ event }) => event === 'risk.assessment');

  test('makes a fact of what it sees, and records a change once', async () => {
    offer(withCalls());
    await defense.look();
    expect(category()).toBe('none');
    offer(withCalls([9, foreignCall['spyware-like']]));
    await defense.look();
    await defense.look();
    expect(category()).toBe('spyware-like');
    expect(assessments()).toMatchObject([{ outcome: 'done' }, { outcome: 'denied', code: 'intelligence/risk-found' }]);
  });

  test('says what it judged, by which model, and what the engine said', async () => {
    await defense.testEngine();
    offer(withCalls());
    expect(await defense.status()).toMatchObject({
      engine,
      category: 'none',
      opinion: 'agrees',
      guidance: 'nothing',
      modelVersion: 3,
    });
  });

  test('counts its own score where the engine disagrees or is gone, and says so', async () => {
    scores = async (_, windows) => ok(windows.map(() => [0, 0, 0, 0]));
    offer(withCalls([9, foreignCall.tamper]));
    expect(await defense.status()).toMatchObject({ category: 'tamper', opinion: 'differs' });
    scores = async () => deny('unavailable', 'program-down');
    offer(withCalls([9, foreignCall.tamper]));
    expect(await defense.status()).toMatchObject({ category: 'tamper', opinion: 'no-engine' });
    expect(category()).toBe('tamper');
  });

  test('lets no engine make a device look better or worse', async () => {
    scores = async (_, windows) => ok(windows.map(() => [100, 100, 100, 100]));
    offer(withCalls());
    expect(await defense.status()).toMatchObject({ category: 'none', opinion: 'differs' });
    expect(category()).toBe('none');
  });

  test('stands on the engine alone where a machine shows no calls; without one there is no fact', async () => {
    const blind = start({ take: async () => deny('unavailable', 'not-supported') });
    await blind.look();
    expect(category()).toBeUndefined();
    await blind.testEngine();
    expect(category()).toBe('none');
    expect(await blind.status()).not.toHaveProperty('category');
  });

  test('says nothing of a machine of which it has seen nothing: then a working engine is all there is', async () => {
    let isWorking = true;
    const idle = newDefense({
      ...mind,
      signals,
      inference: {
        selfTest: async () => (isWorking ? ok(engine) : deny('unavailable', 'program-down')),
        score: (...asked) => scores(...asked),
      },
      models: openModels({ store: memoryStore(), log: mind.log, image: encodeModel(), processor }),
      outcomes: { current: () => [] } as unknown as OutcomeIntake,
    });
    await idle.look();
    expect(category()).toBeUndefined();
    await idle.testEngine();
    expect(category()).toBe('none');
    isWorking = false;
    await idle.testEngine();
    expect(category()).toBeUndefined();
    offer(withCalls());
    await idle.look();
    expect(category()).toBe('none');
  });

  test('lets a judgement end where the calls end: what is not seen any more is not held for harmless', async () => {
    let isSeeing = true;
    const failing = start({ take: async () => (isSeeing ? signals.take() : deny('unavailable', 'program-down')) });
    offer(withCalls());
    await failing.testEngine();
    await failing.look();
    expect(category()).toBe('none');
    isSeeing = false;
    await mind.clock.advance(5 * minuteMs + 1);
    await failing.look();
    const { intelligence } = mind.trust.facts({ audit: 'intact', lifecycle: 'active', isTimeKnown: true, isEnrolled: true });
    expect(mind.clock.bootMs() - (intelligence?.measuredBootMs ?? 0)).toBeGreaterThan(intelligence?.maxAgeMs ?? 0);
  });

  test('looks once where two ask at the same time', async () => {
    let looks = 0;
    const counted = start({
      take: async () => {
        looks += 1;
        return ok([]);
      },
    });
    await Promise.all([counted.look(), counted.status(), counted.look()]);
    expect(looks).toBe(1);
  });

  test('takes a newer model and judges by it, refuses an older one, and records both', async () => {
    const code = (result: Result<unknown>) => (result.ok ? 'taken' : codeOf(result.fault));
    expect(code(await defense.takeModel(encodeModel({ version: 2 })))).toBe('policy/stale');
    expect(code(await defense.takeModel(encodeModel({ version: 4, conducts: [] })))).toBe('taken');
    expect((await defense.status()).modelVersion).toBe(4);
    expect(recordsOf(mind.audit).filter(({ event }) => event === 'verify.model')).toMatchObject([
      { outcome: 'denied', code: 'policy/stale' },
      { outcome: 'done' },
    ]);
  });

  test('lets category, band and model leave, where policy approves', async () => {
    offer(withCalls());
    await defense.look();
    expect(defense.telemetry(false)).toBeUndefined();
    expect(defense.telemetry(true)).toBeDefined();
    expect(unwrap(await mind.hands.signals.take())).toEqual([]);
  });
});
