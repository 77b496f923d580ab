/**
 * The health gate of a trial boot. It is local (SR-13): no verifier, no server and no network can keep a good release
 * from being committed, or a commit-confirm from the console path (SR-15).
 */
import { within } from '#hal/core/deadline';
import { attemptAsync, deny, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Switch } from './switch.ts';

export interface HealthCheck {
  /** A slug; kept as the reason where it fails the trial. */
  readonly name: string;
  /** `required`: must pass. `soft`: waited for until the deadline, then done without. */
  readonly kind: 'required' | 'soft';
  readonly run: (signal: AbortSignal) => Promise<boolean>;
}

export interface HealthReading {
  readonly name: string;
  readonly kind: HealthCheck['kind'];
  readonly hasPassed: boolean;
}

export type HealthVerdict =
  | { readonly next: 'commit' }
  | { readonly next: 'wait' }
  /** @param reason name of the first required check that fails */
  | { readonly next: 'give-up'; readonly reason: string };

/** A soft failure neither commits nor reverts before the deadline; at the deadline the required checks decide alone. */
export const judgeHealth = (readings: readonly HealthReading[], elapsedMs: number, deadlineMs: number): HealthVerdict => {
  const failing = readings.filter(({ hasPassed }) => !hasPassed);
  if (failing.length === 0) return { next: 'commit' };
  if (elapsedMs < deadlineMs) return { next: 'wait' };
  const required = failing.find(({ kind }) => kind === 'required');
  return required === undefined ? { next: 'commit' } : { next: 'give-up', reason: required.name };
};

/** One round of the checks. A check that throws, or takes longer than this, has not passed. */
export const readHealth = (
  clock: Clock,
  checks: readonly HealthCheck[],
  limitMs: number,
  signal: AbortSignal,
): Promise<readonly HealthReading[]> => {
  const failed = (cause: string) => deny('policy', 'health-missing', cause);
  const read = async ({ name, kind, run }: HealthCheck): Promise<HealthReading> => {
    const ran = await within(clock, limitMs, (limit) => attemptAsync(() => run(AbortSignal.any([signal, limit])), failed));
    return { name, kind, hasPassed: ran.ok && ran.value };
  };
  return Promise.all(checks.map(read));
};

export interface TrialParts {
  readonly clock: Clock;
  readonly checks: readonly HealthCheck[];
  readonly slots: Pick<Switch, 'status' | 'commit' | 'giveUp'>;
  readonly deadlineMs: number;
  /** Between two rounds of checks; also how long one check may take. */
  readonly pauseMs: number;
}

export type TrialOutcome = 'committed' | 'given-up' | 'interrupted';

/**
 * Run at every start: the gate of a trial to its end, and nothing for a slot that is committed already. A fallback that
 * had to start is committed by the same gate, so that the other slot can be written again; it is never given up.
 * A check that throws or hangs has not passed. That a trial hangs as a whole is the
 * hardware watchdog's, which is armed before this and fed by nobody else.
 * @param checks at least one is required: a trial that nothing can fail would commit anything
 * @returns `committed`; `given-up` (the caller restarts the machine); `interrupted` by the signal, to be run again;
 * `policy/health-missing` for a fallback that is not well; or a fault of the hands
 */
export const runTrial = async (
  { clock, checks, slots, deadlineMs, pauseMs }: TrialParts,
  signal: AbortSignal,
): Promise<Result<TrialOutcome>> => {
  if (!checks.some(({ kind }) => kind === 'required')) throw new Error('a trial needs a required check');
  const status = await slots.status();
  if (!status.ok) return status;
  const running = status.value.slots[status.value.running.slot];
  if (running.state === 'committed') return ok('committed');
  const giveUp = async (reason: string): Promise<Result<TrialOutcome>> => {
    if (running.state === 'superseded') return deny('policy', 'health-missing', reason);
    const given = await slots.giveUp(reason);
    return given.ok ? ok('given-up') : given;
  };
  if (running.state === 'failed') return giveUp(running.reason);
  const startMs = clock.bootMs();
  while (!signal.aborted) {
    const readings = await readHealth(clock, checks, pauseMs, signal);
    const verdict = judgeHealth(readings, clock.bootMs() - startMs, deadlineMs);
    switch (verdict.next) {
      case 'commit': {
        const committed = await slots.commit();
        return committed.ok ? ok('committed') : committed;
      }
      case 'give-up':
        return giveUp(verdict.reason);
      case 'wait':
        await clock.sleep(pauseMs, signal);
    }
  }
  return ok('interrupted');
};
