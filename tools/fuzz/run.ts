/** Many spoilt inputs for one parser: each must be answered, and soon. */
import { drawFrom, mutated } from './mutate.ts';
import type { FuzzedParser } from './parsers.ts';

export interface FuzzReport {
  readonly name: string;
  readonly executions: number;
  readonly accepted: number;
  readonly slowestMs: number;
  /** The round that threw or took too long, with what it said; `--seed S --from ROUND` replays it. */
  readonly finding?: { readonly round: number; readonly why: string };
}

export interface FuzzOptions {
  readonly seed: number;
  readonly from: number;
  readonly executions: number;
  /** One input may take so much CPU, garbage collection included. */
  readonly limitMs: number;
  /** CPU time of this process, so that a busy machine is no finding. */
  readonly cpuMs: () => number;
}

export const fuzz = async (parser: FuzzedParser, options: FuzzOptions): Promise<FuzzReport> => {
  const { seed, from, executions, limitMs, cpuMs } = options;
  let accepted = 0;
  let slowestMs = 0;
  const report = (done: number) => ({ name: parser.name, executions: done, accepted, slowestMs });
  for (let round = from; round < from + executions; round += 1) {
    const bytes = mutated(drawFrom(seed, round), parser.samples);
    const startMs = cpuMs();
    try {
      const pending = parser.parse(bytes);
      // Awaiting what is there already would cost more than most parsers do.
      const answer = pending instanceof Promise ? await pending : pending;
      if (answer.ok) accepted += 1;
    } catch (error) {
      return {
        ...report(round - from),
        finding: { round, why: error instanceof Error ? (error.stack ?? error.message) : String(error) },
      };
    }
    const tookMs = cpuMs() - startMs;
    if (tookMs > slowestMs) slowestMs = tookMs;
    if (tookMs > limitMs) return { ...report(round - from), finding: { round, why: `${Math.round(tookMs)} ms` } };
  }
  return report(executions);
};
