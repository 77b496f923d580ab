/** Why the level is what it is: each level with what it still waits for. */

import { levels } from '#agents/posture/level';
import { capWords, findingWords, levelMeaning, levelWords } from '#agents/posture/words';
import type { Finding, Level } from '#protos/gen/types';
import { holds } from './reading.ts';

/** Nobody has to reach `none`: it is where every device starts. */
export type RungState = 'start' | 'reached' | 'waiting';

export interface Rung {
  readonly level: Level;
  readonly word: string;
  readonly meaning: string;
  readonly state: RungState;
  /** The level that the device is at. */
  readonly isPresent: boolean;
  /** Titles of the findings of this level that do not hold. */
  readonly waitsFor: readonly string[];
}

export const ladderOf = (level: Level, findings: readonly Finding[]): readonly Rung[] =>
  levels.map((rung, index) => ({
    level: rung,
    word: levelWords(rung),
    meaning: levelMeaning(rung),
    state: index === 0 ? 'start' : index <= levels.indexOf(level) ? 'reached' : 'waiting',
    isPresent: rung === level,
    waitsFor: findings.filter((finding) => finding.level === rung && !holds(finding)).map(({ id }) => findingWords(id).title),
  }));

/** Who vouched for the TPM sets the highest level there can be (SR-23); undefined where that is `strong`. */
export const capOf = (findings: readonly Finding[]): string | undefined => {
  const tpm = findings.find(({ id }) => id === 'tpm');
  return tpm?.value === undefined ? undefined : capWords(tpm.value);
};
