/**
 * Windows over time: what was seen of each app stays for a while, and what is too little in each window is summed up.
 *
 * The sum is a CUSUM chart (Page, Continuous Inspection Schemes, 1954): unknown n-grams beyond the allowance of the
 * model add up, ordinary windows take the allowance away again. An attack spread over many windows is seen once the
 * sum passes the limit; one that stays below the allowance for ever is not.
 */
import type { CallWindow } from '#hal/ports/signals';
import type { RiskCategory } from '#protos/gen/types';
import { type Assessment, bandOf, guidance, riskOf } from './assessment.ts';
import type { Model } from './model.ts';
import { bounds, judgeWindow, type WindowJudgement } from './score.ts';

export interface Judge {
  /** @returns what holds now, these windows included, and what was said of each of them */
  judge(windows: readonly CallWindow[], nowBootMs: number): Judged;
}

export interface Judged {
  readonly assessment: Omit<Assessment, 'opinion'>;
  readonly windows: readonly WindowJudgement[];
}

/** What was seen counts this long. */
export const riskLifeMs = 15 * 60_000;
export const maxApps = 64;

interface Seen {
  score: number;
  windows: number;
  untilBootMs: number;
}
interface AppRecord {
  readonly seen: Map<RiskCategory, Seen>;
  drift: number;
}

export const newJudge = (model: Model): Judge => {
  const apps = new Map<string, AppRecord>();
  let judged = 0;

  const recordOf = (app: string): AppRecord => {
    const known = apps.get(app) ?? { seen: new Map(), drift: 0 };
    // What was touched last stands last, so the first is the one to forget: of those without a risk, where there are any.
    apps.delete(app);
    if (apps.size >= maxApps) {
      const [oldest] = [...apps].toSorted(([, a], [, b]) => riskOf(worstOf(a).category) - riskOf(worstOf(b).category));
      if (oldest !== undefined) apps.delete(oldest[0]);
    }
    apps.set(app, known);
    return known;
  };

  const note = (record: AppRecord, category: RiskCategory, score: number, nowBootMs: number): void => {
    const { score: highest, windows } = record.seen.get(category) ?? { score: 0, windows: 0 };
    record.seen.set(category, { score: Math.max(highest, score), windows: windows + 1, untilBootMs: nowBootMs + riskLifeMs });
  };

  const take = ({ app, calls }: CallWindow, nowBootMs: number): WindowJudgement => {
    const record = recordOf(app);
    const judgement = judgeWindow(model, calls);
    judged += 1;
    if (judgement.category !== 'none') note(record, judgement.category, judgement.score, nowBootMs);
    const { allowance, limit } = model.drift;
    record.drift = Math.min(2 * limit, Math.max(0, record.drift + judgement.unknown - allowance));
    if (record.drift >= limit) note(record, 'suspicious', bounds.suspicious, nowBootMs);
    return judgement;
  };

  return {
    judge(windows, nowBootMs) {
      for (const { seen } of apps.values())
        for (const [category, { untilBootMs }] of seen) if (untilBootMs < nowBootMs) seen.delete(category);
      const judgements = windows.map((window) => take(window, nowBootMs));
      const [worst] = [...apps]
        .map(([app, record]) => ({ app, ...worstOf(record) }))
        .toSorted((a, b) => riskOf(b.category) - riskOf(a.category) || b.score - a.score);
      const isClean = worst === undefined || worst.category === 'none';
      const category = isClean ? 'none' : worst.category;
      return {
        windows: judgements,
        assessment: {
          category,
          band: isClean ? bandOf(judged, 8, 64) : bandOf(worst.windows, 2, 4),
          score: isClean ? Math.max(0, ...judgements.map(({ score }) => score)) : worst.score,
          guidance: guidance[category],
          ...(isClean ? {} : { app: worst.app }),
          model: model.digest,
        },
      };
    },
  };
};

const worstOf = ({ seen }: AppRecord): Pick<Seen, 'score' | 'windows'> & { readonly category: RiskCategory } => {
  const [worst] = [...seen].toSorted(([a], [b]) => riskOf(b) - riskOf(a));
  return worst === undefined ? { category: 'none', score: 0, windows: 0 } : { category: worst[0], ...worst[1] };
};
