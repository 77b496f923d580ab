/** Step 9: who is not drawn gets nothing; a release that fails falls back by itself and halts its rollout; a flipped bit is refused; repair always works. */
import { codeOf, type Result } from '#hal/core/result';
import { flipBits } from '#sim/peers/mirror';
import type { ReleasePlan } from '#sim/peers/release-plans';
import type { World } from '#sim/world/world';
import { faultOf, faultOfCode, textOf } from './outcome.ts';
import { refused, type Scenario, seen } from './scenario.ts';
import { nextCounter, restart, slotsOf, stateOfRunning } from './update.ts';

export const rollout: Scenario = {
  step: 'rollout',
  title:
    'who is not drawn gets nothing; a release that fails falls back and is halted; a flipped bit is refused; repair needs nobody',
  async run(world) {
    const { device, updates, until, fleet } = world;
    const { releases } = updates;
    const good = await slotsOf(world);
    const failing = await nextCounter(world);

    const published = await publish(world, { id: `release-${failing}`, counter: failing, isUnhealthy: true }, 0);
    if (!published.ok)
      return published.fault.reason === 'not-supported' ? seen({ skipped: 'no tool for images here' }) : refused(published.fault);
    const undrawn = await device.enigmctl('update', 'install');
    const rolled = await releases.roll(`release-${failing}`, 1000);
    if (!rolled.ok) return refused(rolled.fault);
    const armed = await device.enigmctl('update', 'install');
    const notArmed = faultOf(armed);
    if (notArmed !== undefined) return refused(notArmed);
    await restart(world);
    await until('the device fell back by itself', async () => (await slotsOf(world)).running === good.running, 60_000);
    await until(
      'the rollout is halted',
      () => {
        const record = releases.record(`release-${failing}`);
        return record.ok && record.value.state === 'halted';
      },
      30_000,
    );

    const next = failing + 1;
    const second = await publish(world, { id: `release-${next}`, counter: next }, 1000);
    if (!second.ok) return refused(second.fault);
    fleet.files.takePath(flipBits());
    const flipped = faultOf(await device.enigmctl('update', 'install'));
    fleet.files.takePath();
    const afterFlip = await slotsOf(world);
    if (flipped === undefined) return refused(faultOfCode('integrity/segment-mismatch'));

    const repaired = await repair(world, next + 1);
    if (!repaired.ok) return refused(repaired.fault);
    return seen({
      notDrawn: textOf(undrawn.json, 'outcome'),
      failing: 'fell back by itself',
      rollout: 'halted',
      flippedBit: codeOf(flipped),
      stillRuns: afterFlip.running === good.running ? stateOfRunning(afterFlip) : 'ANOTHER SLOT',
      repairUnderAttack: repaired.value,
    });
  },
};

const publish = async (world: World, plan: ReleasePlan, permille: number): Promise<Result<void>> => {
  const { releases } = world.updates;
  const built = await releases.build(plan);
  if (!built.ok) return built;
  world.knowRelease({ id: plan.id, facts: built.value.facts });
  if (plan.isUnhealthy) world.device.breakHealth(built.value.facts.verityRoot);
  const published = await releases.publish(built.value, permille);
  return published.ok ? { ok: true, value: undefined } : published;
};

/** Somebody on the way spoils every appraisal: no director answers, and the repair release installs all the same (SR-12). */
const repair = async (world: World, counter: number): Promise<Result<string>> => {
  const { device, until } = world;
  const published = await publish(
    world,
    { id: `repair-${counter}`, class: 'repair', counter, statementSigners: world.fate.repairSigners },
    1000,
  );
  if (!published.ok) return published;
  world.takePath({
    onAttestFinish: (evidence) => evidence.map((byte, index) => (index === evidence.length - 40 ? byte ^ 1 : byte)),
  });
  const directed = faultOf(await device.enigmctl('update', 'install'));
  const installed = faultOf(await device.enigmctl('update', 'install', '--repair'));
  world.takePath({});
  if (installed !== undefined) return { ok: false, fault: installed };
  if (directed === undefined) return { ok: false, fault: faultOfCode('attestation/not-affirming') };
  const before = (await slotsOf(world)).running;
  await restart(world);
  await until(
    'the repair runs',
    async () => {
      const slots = await slotsOf(world);
      return slots.running !== before && stateOfRunning(slots) === 'committed';
    },
    30_000,
  );
  return { ok: true, value: `director ${codeOf(directed)}, repair installed` };
};
