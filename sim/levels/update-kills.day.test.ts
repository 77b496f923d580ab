/**
 * Two hundred kills at seeded moments over the whole path of updates: mouth, mind and hands, or the power of all.
 *
 * The seed fixes what is killed, in which phase and at which sign; the machine's own scheduling is not replayed.
 * KILLS asks for another number of them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { seededRandom } from '#hal/memory/random';
import { otherSlot } from '#hal/ports/slots';
import { segmentCount } from '#ota-client/payload/limits';
import type { SlotsView } from '#ota-client/slots/view';
import { simulatedLayout, slotFiles } from '#sim/machine/layout';
import type { BuiltPlan } from '#sim/peers/release-plans';
import { faultOf } from '#sim/scenarios/outcome';
import { type Chance, chance } from '#sim/world/chance';
import { newSeed, replayable } from '#sim/world/replay.fixture';
import type { CommandOutcome, Device } from '#sim/world/world';
import { makeReady, openTestWorld, type TestWorld } from './device.fixture.ts';
import { countRepeated, isOnMedium, type Repeated, windowSegments } from './repeated.fixture.ts';
import { type Kills, type Phase, phases, updateKiller } from './update-killer.fixture.ts';

const kills = Number(process.env['KILLS'] ?? 200);
/** Devices that are updated and killed side by side. */
const devices = 2;
/** Of one update, at most: a phase that a kill could not keep from its end has no more. */
const killsOfUpdate: Readonly<Record<Phase, number>> = { download: 6, write: 3, arm: 4, trial: 4, commit: 4 };
/** Kept free for each phase, whatever falls into the others. */
const leastOfPhase = Math.floor(kills / 10);
/** Three windows and a bit. */
const freshBytes = 3_300_000;
const committedWithinMs = 30_000;
const mostTries = 5;
/** In a row: an update may end before its kill, where kills are left for one phase only and that one is short. */
const mostUpdatesInVain = 5;
const againAfterMs = 2_000;
const never = new AbortController().signal;
const clock = linuxClock();

test(
  'an update that is killed in its download, write, arm, trial or commit goes on: always a good slot, at most one window again',
  async () => {
    const seed = newSeed();
    console.info(`seed ${seed}`);
    await replayable(seed, 'day', 'sim/levels/update-kills.day.test.ts', async () => {
      const startMs = clock.bootMs();
      const failing = new AbortController();
      const lives = Array.from({ length: devices }, (_, index) =>
        surviveKills(`${seed} ${index}`, Math.ceil((kills - index) / devices), failing),
      );
      // Where one fails, the other ends its update and is put away all the same.
      const settled = await Promise.allSettled(lives);
      const outcomes = settled.map((life) => {
        if (life.status === 'rejected') throw life.reason;
        return life.value;
      });
      const [byPhase, byVictim] = [sumOf(outcomes, 'phase'), sumOf(outcomes, 'victim')];
      const updates = outcomes.reduce((sum, outcome) => sum + outcome.updates, 0);
      const seconds = Math.round((clock.bootMs() - startMs) / 1000);
      console.info(JSON.stringify({ byPhase, byVictim, updates, repeated: outcomes.map(({ repeated }) => repeated), seconds }));
      expect(Object.values(byVictim).reduce((sum, count) => sum + count, 0)).toBe(kills);
      for (const phase of phases) expect(byPhase[phase], phase).toBeGreaterThanOrEqual(leastOfPhase);
    });
  },
  120_000 + kills * 3_000,
);

interface Outcome {
  readonly kills: Kills;
  readonly updates: number;
  readonly repeated: Repeated;
}

/** One device, updated until so many kills have fallen, and then once more to the end. */
const surviveKills = async (seed: string, wanted: number, failing: AbortController): Promise<Outcome> => {
  await using opened = await openTestWorld('swtpm');
  await makeReady(opened.world);
  const life = updatedLife(opened, chance(seededRandom(seed)), wanted);
  let updates = 0;
  let inVain = 0;
  try {
    for (; life.killsLeft() > 0 && !failing.signal.aborted; updates += 1) {
      const before = life.killsLeft();
      await life.update(await releaseOf(opened, seed, updates + 2));
      inVain = life.killsLeft() < before ? 0 : inVain + 1;
      expect(inVain, 'updates in a row in which nothing was killed').toBeLessThanOrEqual(mostUpdatesInVain);
    }
    expect(life.repeated.installs, 'each update was counted').toBeGreaterThanOrEqual(updates);
  } catch (error) {
    failing.abort();
    throw error;
  } finally {
    life.close();
  }
  return { kills: life.kills, repeated: life.repeated, updates };
};

/** Small, and nothing of it is on the device already. */
const releaseOf = async ({ world, paths }: TestWorld, seed: string, counter: number): Promise<BuiltPlan> => {
  const programs = readdirSync(paths.programs).map((name) => [`usr/lib/enigm/${name}`, undefined] as const);
  const fresh = ['usr/share/enigm/fresh', seededRandom(`${seed} ${counter}`).bytes(freshBytes)] as const;
  const id = `release-${counter}`;
  const release = unwrap(await world.updates.releases.build({ id, counter, bases: [], changes: new Map([...programs, fresh]) }));
  world.knowRelease({ id, facts: release.facts });
  unwrap(await world.updates.releases.publish(release));
  return release;
};

const updatedLife = ({ world }: TestWorld, draw: Chance, wanted: number) => {
  const { device, until, updates } = world;
  const images = new Map([[toHex(updates.releases.factory.facts.verityRoot), updates.releases.factory.image]]);
  const killer = updateKiller(world, draw, ({ slots }, slot) => {
    const image = images.get(toHex(slots[slot].release?.verityRoot ?? new Uint8Array()));
    return image !== undefined && isOnMedium(slotFiles(device.directory)[slot], image);
  });
  const repeated = countRepeated(world);
  let killsLeft = wanted;
  const missingOf = (phase: Phase): number => {
    const fallen = Object.values(killer.kills[phase]).reduce((sum, count) => sum + count, 0);
    return Math.max(0, Math.ceil(leastOfPhase / devices) - fallen);
  };
  const mayKillIn = (phase: Phase): boolean =>
    killsLeft > phases.filter((other) => other !== phase).reduce((sum, other) => sum + missingOf(other), 0);

  /** Kills in this phase while it lasts. */
  const killWhile = async (
    phase: Phase,
    lasts: (view: SlotsView) => boolean,
    work: (killed: AbortSignal) => Promise<unknown>,
  ): Promise<void> => {
    for (let round = 0; round < killsOfUpdate[phase] && mayKillIn(phase); round += 1) {
      if (!lasts(await killer.look())) return;
      if (await killer.killIn(phase, work)) killsLeft -= 1;
      repeated.callEnded(await killer.look());
    }
  };

  return {
    kills: killer.kills,
    repeated: repeated.total,
    killsLeft: () => killsLeft,
    close: () => killer.close(),
    async update(release: BuiltPlan): Promise<void> {
      const { verityRoot } = release.facts;
      images.set(toHex(verityRoot), release.image);
      const target = otherSlot((await killer.look()).running.slot);
      const isUnarmed = ({ running, slots }: SlotsView) => running.slot !== target && slots[target].state !== 'trial';
      const hasWindowsLeft = (view: SlotsView) => {
        const { state, writtenSegments } = view.slots[target];
        const written = state === 'writing' ? writtenSegments : 0;
        return isUnarmed(view) && segmentCount(release.image.length) - written > windowSegments;
      };
      const isOnTrial = ({ running, slots }: SlotsView) => running.slot === target && slots[target].state === 'trial';
      const install = async () => {
        repeated.callBegins(target, release.image);
        await device.app.call('update.install', { isRepair: false, isForced: false });
      };
      // The trial waits at its gate until the kills within it are done.
      device.breakHealth(verityRoot);
      await killWhile('download', hasWindowsLeft, install);
      await killWhile('write', hasWindowsLeft, install);
      await killWhile('arm', isUnarmed, install);
      if ((await killer.look()).running.slot !== target) {
        repeated.callBegins(target, release.image);
        const installed = await installTo(device);
        expect(installed).toMatchObject({ code: 0, json: { outcome: 'armed' } });
        await device.powerOff();
        await device.powerOn();
        await killer.allThere();
        repeated.callEnded(await killer.look());
      }
      await killWhile('trial', isOnTrial, async () => undefined);
      device.mendHealth(verityRoot);
      const isCommitted = async () => {
        const status = await device.app.call('update.status', {});
        return status.ok && status.value.slots[target].state === 'committed';
      };
      await killWhile('commit', isOnTrial, (killed) =>
        until('committed', async () => killed.aborted || (await isCommitted()), committedWithinMs),
      );
      await until('the release is kept', isCommitted, committedWithinMs);
      const { running, slots } = await killer.look();
      expect([running.slot, toHex(running.verityRoot)]).toEqual([target, toHex(verityRoot)]);
      expect(slots[otherSlot(target)].state).toBe('superseded');
    },
  };
};

/**
 * Somebody who is asked while this process is busy may be out of reach, and a mind that nobody told the time does not know it:
 * what was begun goes on when it is asked again. Each time is printed.
 */
const installTo = async (device: Device): Promise<CommandOutcome> => {
  for (let tries = 1; ; tries += 1) {
    const installed = await device.enigmctl('update', 'install');
    const fault = faultOf(installed);
    if (fault === undefined || tries === mostTries) return installed;
    if (fault.category !== 'unavailable' && fault.reason !== 'time-unknown') return installed;
    console.info(`update install is asked for again: ${fault.category}/${fault.reason}; ${timeNotAsked(device)}`);
    await clock.sleep(againAfterMs, never);
  }
};

/** What the mind wrote when it last asked for the time in vain. */
const timeNotAsked = ({ directory }: Device): string =>
  readFileSync(join(simulatedLayout(directory).logs, 'agentd.log'), 'utf8')
    .split('\n')
    .findLast((line) => line.includes('"time.not-asked"')) ?? 'the time was never asked for in vain';

const sumOf = (outcomes: readonly Outcome[], by: 'phase' | 'victim'): Readonly<Record<string, number>> => {
  const sums: Record<string, number> = {};
  for (const outcome of outcomes)
    for (const [phase, victims] of Object.entries(outcome.kills))
      for (const [victim, count] of Object.entries(victims)) {
        const name = by === 'phase' ? phase : victim;
        sums[name] = (sums[name] ?? 0) + count;
      }
  return sums;
};
