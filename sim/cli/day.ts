/** Living the day: every step in order, told as a story or as JSON, with at most one sabotage. */
import { causeOf, codeOf, type Fault } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Sabotage } from '#sim/scenarios/sabotage';
import type { Scenario, StepResult } from '#sim/scenarios/scenario';
import type { World } from '#sim/world/world';
import type { DaySummary } from './summary.ts';
import type { Teller } from './teller.ts';

const interruptMs = 50;

export const liveDay = async (
  world: World,
  scenarios: readonly Scenario[],
  sabotage: Sabotage | undefined,
  clock: Clock,
  teller: Teller,
  signal: AbortSignal,
): Promise<DaySummary> => {
  const startedMs = clock.bootMs();
  let fault: Fault | undefined;
  let refusedAt: string | undefined;
  let steps = 0;
  for (const scenario of scenarios) {
    if (signal.aborted) break;
    await sabotage?.before[scenario.step]?.(world);
    teller.begins(scenario);
    const stepMs = clock.bootMs();
    const result = await runStep(scenario, world);
    // Ctrl-C reaches the programs of the device as well, and their end may be seen before it: that is no refusal.
    if (result.fault !== undefined) await clock.sleep(interruptMs, signal);
    if (signal.aborted) break;
    steps += 1;
    fault = result.fault;
    teller.ends(scenario, result, clock.bootMs() - stepMs);
    if (fault === undefined) continue;
    refusedAt = scenario.step;
    break;
  }
  const isAsExpected =
    sabotage === undefined
      ? fault === undefined && steps === scenarios.length
      : refusedAt === sabotage.step && fault !== undefined && codeOf(fault) === sabotage.code;
  return {
    steps,
    isAsExpected,
    ms: clock.bootMs() - startedMs,
    auditRecords: await auditRecords(world),
    ...(refusedAt === undefined ? {} : { refusedAt }),
    ...(fault === undefined ? {} : { fault }),
  };
};

/** A step that throws did not happen as it should: the cause is for the story, the code for everybody. */
const runStep = async (scenario: Scenario, world: World): Promise<StepResult> => {
  try {
    return await scenario.run(world);
  } catch (error) {
    return { evidence: {}, fault: { category: 'unavailable', reason: 'program-down', detail: causeOf(error) } };
  }
};

const auditRecords = async ({ device }: World): Promise<number> => {
  const status = await device.app.call('device.status', {});
  return status.ok ? status.value.auditSize : 0;
};
