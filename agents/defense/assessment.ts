/** The closed words of a judgement, worst last, and what a person is told to do. */
import type { RiskBand, RiskCategory } from '#protos/gen/types';

export const categoriesByRisk = ['none', 'low', 'suspicious', 'malware-like', 'spyware-like', 'tamper'] as const;

export const riskOf = (category: RiskCategory): number => categoriesByRisk.indexOf(category);

/** Stable codes of guidance. */
export const guidance: Readonly<Record<RiskCategory, string>> = {
  none: 'nothing',
  low: 'nothing',
  suspicious: 'close-unknown-apps',
  'malware-like': 'remove-app',
  'spyware-like': 'remove-app-and-change-secrets',
  tamper: 'restart-and-attest',
};

/** What the tensor engine said about the same windows. Ours is what counts, whatever it said. */
export type Opinion = 'agrees' | 'differs' | 'no-engine' | 'not-asked';

export interface Assessment {
  readonly category: RiskCategory;
  readonly band: RiskBand;
  /** 0–100. */
  readonly score: number;
  readonly guidance: string;
  /** The app that it is about, where it is about one. */
  readonly app?: string;
  readonly opinion: Opinion;
  /** SHA-256 of the model. */
  readonly model: Uint8Array;
}

/** By how many windows say so. */
export const bandOf = (windows: number, fairFrom: number, strongFrom: number): RiskBand => {
  if (windows >= strongFrom) return 'strong';
  return windows >= fairFrom ? 'fair' : 'weak';
};
