/** For tests: a small model whose baseline is one loop of calls, and which knows one foreign call for each conduct. */
import { encodeMessage } from '#hal/core/message';
import { unwrap } from '#hal/core/result';
import type { DetectionModel } from '#protos/gen/types';
import { bucketsOf } from './grams.ts';
import { openModel, unitsPerOne } from './model.ts';

/** What ordinary programs do. */
export const ordinaryCalls: readonly number[] = Array.from({ length: 128 }, (_, index) => [0, 1, 3, 257, 0, 8][index % 6] ?? 0);
/** A call that the model knows to be of this conduct. */
export const foreignCall = { 'malware-like': 900, 'spyware-like': 901, tamper: 902 } as const;

export const processor = 'x64';

/** Ordinary calls with others at these places. */
export const withCalls = (...placed: readonly (readonly [place: number, call: number])[]): readonly number[] => {
  const calls = [...ordinaryCalls];
  for (const [place, call] of placed) calls[place] = call;
  return calls;
};

export const plainModel: DetectionModel = {
  version: 3,
  processor,
  baseline: new Uint8Array(32).fill(0xba),
  known: [...bucketsOf(ordinaryCalls)].toSorted((a, b) => a - b),
  unusualWeight: 180,
  unusualThreshold: 180 * 12,
  conducts: (['malware-like', 'spyware-like', 'tamper'] as const).map((category) => ({
    category,
    threshold: 2 * unitsPerOne,
    buckets: [...bucketsOf([foreignCall[category]])],
    weights: [4 * unitsPerOne],
  })),
  driftAllowance: unitsPerOne / 2,
  driftLimit: 24 * unitsPerOne,
};

export const encodeModel = (changed: Partial<DetectionModel> = {}): Uint8Array =>
  encodeMessage('DetectionModel', { ...plainModel, ...changed });

export const testModel = unwrap(openModel(encodeModel(), processor));
