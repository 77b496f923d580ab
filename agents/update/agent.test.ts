import { expect, test } from 'vitest';
import { deny, ok, type Result } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import { memoryLog } from '#hal/memory/log';
import type { TrialOutcome } from '#ota-client/apply/health';
import { trialAgent } from './agent.ts';

/** Answers of the gate, one after the other; asked again after the last it stays committed. */
const run = async (
  answers: readonly Result<TrialOutcome>[],
  durationMs: number,
  raiseFloor = async (): Promise<Result<boolean>> => ok(false),
) => {
  const clock = virtualClock(0);
  const log = memoryLog();
  const ending = new AbortController();
  let asked = 0;
  const endTrial = async () => {
    asked += 1;
    return answers[asked - 1] ?? ok('committed' as const);
  };
  const running = trialAgent({ endTrial, raiseFloor }, clock, log).run({}, ending.signal);
  await clock.advance(durationMs);
  ending.abort();
  await clock.advance(0);
  await running;
  return { asked, events: log.entries.map(({ event }) => event) };
};

test('a trial whose hands are away for a moment is at its gate again a second later', async () => {
  const away = deny('unavailable', 'program-down');
  expect(await run([away, away], 2_100)).toEqual({ asked: 3, events: ['trial.open', 'trial.open', 'trial.ended'] });
});

test('a slot that is kept is not asked about again', async () => {
  expect(await run([ok('committed')], 60_000)).toEqual({ asked: 1, events: ['trial.ended'] });
});

test('what was given up or interrupted is looked at again', async () => {
  expect((await run([ok('given-up'), ok('interrupted')], 2_100)).asked).toBe(3);
});

test('the floor is looked at once a minute, and ever later where the hands say not yet (SR-08)', async () => {
  let asked = 0;
  const answers = [deny('protocol', 'event-refused'), deny('protocol', 'event-refused'), ok(true)];
  const raiseFloor = async (): Promise<Result<boolean>> => {
    asked += 1;
    return answers[asked - 1] ?? ok(false);
  };
  const { events } = await run([], 10 * 60_000, raiseFloor);
  // After 1, 3, 7, 8, 9 and 10 minutes.
  expect(asked).toBe(6);
  expect(events).toEqual(['trial.ended', 'floor.kept', 'floor.kept', 'floor.raised']);
});
