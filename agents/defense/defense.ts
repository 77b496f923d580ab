/**
 * Active Defense of a device: windows of system calls are judged by our own model; the tensor engine is asked what it
 * would have said; what holds is a fact for decisions. Outcomes of the intelligence service stand beside it (intake.ts).
 */
import type { MindParts } from '#agents/mind/parts';
import { within } from '#hal/core/deadline';
import { codeOf, type Fault, type Result } from '#hal/core/result';
import type { CallWindow, Signals } from '#hal/ports/signals';
import type { DefenseStatus, RiskTelemetry } from '#protos/gen/types';
import { type Assessment, guidance, type Opinion } from './assessment.ts';
import { type OutcomeIntake, outcomeEntry } from './intake.ts';
import { type Judge, type Judged, newJudge } from './judge.ts';
import type { Model } from './model.ts';
import type { Models } from './models.ts';
import { compareOpinions } from './second-opinion.ts';
import { telemetryOf } from './telemetry.ts';

export interface Defense {
  /** Judges the windows that wait. Asked while it looks, it looks once. */
  look(): Promise<void>;
  /** @returns whether an engine passed its self-test */
  testEngine(): Promise<boolean>;
  /** Looks, then says what holds. */
  status(): Promise<DefenseStatus>;
  /**
   * Takes a model that was published, and judges by it from now on.
   * @param payload of a verified target of class `models`
   */
  takeModel(payload: Uint8Array): Promise<Result<Model>>;
  /** @param isApproved whether the configuration in force approves. @returns what may leave, or undefined */
  telemetry(isApproved: boolean): RiskTelemetry | undefined;
  readonly outcomes: OutcomeIntake;
}

export type DefenseParts = Pick<MindParts, 'clock' | 'inference' | 'trust' | 'audit' | 'watchers' | 'log'> & {
  readonly signals: Signals;
  readonly models: Models;
  readonly outcomes: OutcomeIntake;
};

const testLimitMs = 20_000;
const opinionLimitMs = 5_000;

export const newDefense = (parts: DefenseParts): Defense => {
  const { clock, inference, trust, audit, watchers, log, signals, models, outcomes } = parts;
  let judge: { readonly model: Model; readonly judge: Judge } | undefined;
  let opinion: Opinion = 'not-asked';
  let looking: Promise<void> | undefined;

  const judgeBy = (model: Model): Judge => {
    if (judge?.model !== model) judge = { model, judge: newJudge(model) };
    return judge.judge;
  };

  const secondOpinion = async (model: Model, windows: readonly CallWindow[], judged: Judged): Promise<Opinion> => {
    const asked = await within(clock, opinionLimitMs, () => inference.score(model.payload, windows));
    if (!asked.ok) return 'no-engine';
    const compared = compareOpinions(model, judged.windows, asked.value);
    if (compared.ok) return 'agrees';
    log.error('opinions.differ', { detail: compared.fault.detail ?? '' });
    return 'differs';
  };

  const hold = async (assessment: Assessment): Promise<void> => {
    const before = trust.assessment()?.value;
    trust.holdAssessment(assessment);
    if (before?.category === assessment.category && before.opinion === assessment.opinion) return;
    const fault = faultOf(assessment);
    await audit.record({
      event: 'risk.assessment',
      outcome: fault === undefined ? 'done' : 'denied',
      changeReference: assessment.model,
      ...(fault === undefined ? {} : { fault }),
    });
    watchers.notify();
  };

  const lookOnce = async (): Promise<void> => {
    const model = models.current();
    const taken = await signals.take();
    // A machine that shows no calls has no judgement of ours; one that stops showing them has an old one, which ends.
    if (model === undefined || !taken.ok) return;
    // A model that was shown nothing yet has nothing to say: then the word of a working engine is all there is.
    if (taken.value.length === 0 && trust.assessment() === undefined) return;
    const judged = judgeBy(model).judge(taken.value, clock.bootMs());
    if (taken.value.length > 0) opinion = await secondOpinion(model, taken.value, judged);
    await hold({ ...judged.assessment, opinion });
  };

  const look = (): Promise<void> => {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  };

  return {
    outcomes,
    look,
    async testEngine() {
      const tested = await within(clock, testLimitMs, () => inference.selfTest());
      const before = trust.engine();
      const engine = tested.ok ? tested.value : undefined;
      trust.holdEngine({ value: engine, measuredBootMs: clock.bootMs() });
      if (!tested.ok) log.warn('engine.failed', { code: codeOf(tested.fault), detail: tested.fault.detail ?? '' });
      if (before !== undefined && engine?.engine === before.value?.engine) return tested.ok;
      await audit.record({
        event: 'risk.engine',
        outcome: tested.ok ? 'done' : 'failed',
        ...(tested.ok ? {} : { fault: tested.fault }),
      });
      watchers.notify();
      return tested.ok;
    },
    async status() {
      await look();
      const engine = trust.engine()?.value;
      const held = trust.assessment()?.value;
      const model = models.current();
      return {
        ...(engine === undefined ? {} : { engine }),
        ...(held === undefined
          ? {}
          : {
              category: held.category,
              band: held.band,
              score: Math.round(held.score),
              guidance: guidance[held.category],
              opinion: held.opinion,
            }),
        modelVersion: model?.version ?? 0,
        model: model?.digest ?? new Uint8Array(32),
        outcomes: outcomes.current().map(outcomeEntry),
      };
    },
    async takeModel(payload) {
      const taken = models.take(payload);
      await audit.record({
        event: 'verify.model',
        outcome: taken.ok ? 'done' : 'denied',
        ...(taken.ok ? { changeReference: taken.value.digest } : { fault: taken.fault }),
      });
      return taken;
    },
    telemetry: (isApproved) => telemetryOf(trust.assessment()?.value, isApproved),
  };
};

/** What a record of a judgement says besides that there was one. */
const faultOf = ({ category, opinion }: Assessment): Fault | undefined => {
  if (category !== 'none' && category !== 'low') return { category: 'intelligence', reason: 'risk-found' };
  return opinion === 'differs' ? { category: 'intelligence', reason: 'opinions-differ' } : undefined;
};
