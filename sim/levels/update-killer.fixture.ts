/**
 * Kills within an update of a running device: one of its three programs by SIGKILL, or all of it by a power cut, at a
 * moment of a phase that is drawn. After each kill everything is back, and the slots are looked at.
 *
 * Limit: what a killed program had written stays in the page cache, so a power cut here drops no unflushed write.
 * `ota-client/sweep` drops, keeps, reorders and tears them, at every operation.
 */
import { expect } from 'vitest';
import { socketPath } from '#agents/programs/layout';
import { readSituation } from '#agents/update/remote-installer';
import { unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { remoteHands } from '#hal/remote/hands-client';
import { handsMethods } from '#hal/remote/hands-methods';
import { socketClient } from '#hal/remote/socket-client';
import { brokenByStep, brokenInvariants } from '#ota-client/slots/invariants';
import { type SlotsView, startable } from '#ota-client/slots/view';
import type { Chance } from '#sim/world/chance';
import { type Moment, watchFor } from './moments.fixture.ts';
import type { ProcessWorld } from './processes.ts';
import { isBack, isThere, type Killable, killables, restartsOf } from './programs.fixture.ts';

export const phases = ['download', 'write', 'arm', 'trial', 'commit'] as const;
export type Phase = (typeof phases)[number];
export type Victim = Killable | 'power';
export type Kills = Record<Phase, Record<Victim, number>>;

export interface UpdateKiller {
  readonly kills: Kills;
  /** Waits for programs and doors, as after a power-on. */
  allThere(): Promise<void>;
  /**
   * What the slots are, from the hands: a good one is there, and nothing moved but along the table.
   * @throws where one of the invariants is broken
   */
  look(): Promise<SlotsView>;
  /**
   * Begins this work and kills in it, once; the work ends by itself when it is told of the kill.
   * @returns false where the work ended before its moment came: nothing was killed
   */
  killIn(phase: Phase, work: (killed: AbortSignal) => Promise<unknown>): Promise<boolean>;
  close(): void;
}

interface PhaseKills {
  readonly victims: readonly [Victim, ...Victim[]];
  readonly moment: (draw: Chance) => Moment;
}

const phaseKills: Readonly<Record<Phase, PhaseKills>> = {
  /** Metadata, manifest, index, recipe and pieces are on their way. */
  download: {
    victims: ['linkd', 'linkd', 'linkd', 'agentd', 'agentd', 'hald', 'hald', 'power'],
    moment: ({ below }) => ({ sign: { of: 'request' }, nth: 1 + below(6), thenMs: below(4) }),
  },
  /** Segments of a window are on the medium, its journal is not or only just. */
  write: {
    victims: ['linkd', 'linkd', 'agentd', 'agentd', 'hald', 'hald', 'hald', 'power'],
    moment: ({ below }) => ({ sign: { of: 'medium', names: ['a.img', 'b.img'] }, nth: 1 + below(2), thenMs: below(5) }),
  },
  /** From the end of the read-back to the word of the boot loader. */
  arm: {
    victims: ['agentd', 'agentd', 'agentd', 'hald', 'hald', 'hald', 'hald', 'power'],
    moment: ({ below, oneIn }) =>
      oneIn(4)
        ? { sign: { of: 'medium', names: ['boot.rec'] }, nth: 1, thenMs: below(4) }
        : { sign: { of: 'record', event: 'release.written' }, nth: 1, thenMs: below(30) },
  },
  trial: {
    victims: ['linkd', 'linkd', 'agentd', 'agentd', 'hald', 'hald', 'hald', 'power'],
    moment: ({ below }) => ({ sign: { of: 'now' }, nth: 1, thenMs: 1 + below(300) }),
  },
  /** From the decision of the health gate to the word of the boot loader. */
  commit: {
    victims: ['agentd', 'agentd', 'agentd', 'hald', 'hald', 'hald', 'hald', 'power'],
    moment: ({ below, oneIn }) =>
      oneIn(4)
        ? { sign: { of: 'medium', names: ['boot.rec'] }, nth: 1, thenMs: below(4) }
        : { sign: { of: 'record', event: 'authz.decision', action: 'end-trial' }, nth: 1, thenMs: below(40) },
  },
};

const backWithinMs = 30_000;
/** Of the six seconds that a site gives a trial, so many may be used up when something else than the mind is killed. */
const trialUsedMs = 2_000;
/** What ends more often than so is started again after more than a second: then it is the turn of the whole device. */
const restartsOfBoot = 4;
const clock = linuxClock();

/** @param isWhole whether a slot has the whole image of the release that the hands name there */
export const updateKiller = (
  world: ProcessWorld,
  draw: Chance,
  isWhole: (view: SlotsView, slot: 'a' | 'b') => boolean,
): UpdateKiller => {
  const { device, machine, until } = world;
  const client = socketClient(handsMethods, socketPath(machine.runDirectory, 'hands'));
  const hands = remoteHands(client);
  const none = { hald: 0, agentd: 0, linkd: 0, power: 0 };
  const kills = Object.fromEntries(phases.map((phase) => [phase, { ...none }])) as Kills;
  let seen: SlotsView | undefined;
  let mindSinceMs = clock.bootMs();

  const look = async (): Promise<SlotsView> => {
    const { view, floorEpoch } = unwrap(await readSituation(hands));
    expect(brokenInvariants(view, unwrap(floorEpoch))).toEqual([]);
    if (seen !== undefined) expect(brokenByStep(seen, view)).toEqual([]);
    for (const slot of startable(view)) expect(isWhole(view, slot), `good slot ${slot} is its image`).toBe(true);
    seen = view;
    return view;
  };
  const allThere = async (): Promise<void> => {
    mindSinceMs = clock.bootMs();
    for (const program of killables) await until(`${program} answers`, () => isThere(world, program), backWithinMs);
    await until('the mind has its hands', async () => (await device.app.call('update.status', {})).ok, backWithinMs);
  };
  /** Spared: a trial that has lost all its tries, or its time, is given up as it should be; not what is looked at here. */
  const victimOf = (phase: Phase): Victim => {
    const running = seen?.slots[seen.running.slot];
    const triesLeft = running?.state === 'trial' ? running.triesLeft : 1;
    if (phase === 'trial' && clock.bootMs() - mindSinceMs > trialUsedMs) return 'agentd';
    const restarts = restartsOf(world);
    const victim = draw.pick(phaseKills[phase].victims);
    const isTired = victim !== 'power' && (restarts[victim] ?? 0) >= restartsOfBoot;
    if (isTired && triesLeft > 0) return 'power';
    return victim === 'power' && triesLeft === 0 ? 'agentd' : victim;
  };
  const recover = async (victim: Victim, restartsBefore: number, cut: Promise<void>): Promise<void> => {
    if (victim === 'power') {
      await cut;
      await device.powerOn();
      return allThere();
    }
    if (victim === 'agentd') mindSinceMs = clock.bootMs();
    await until(`${victim} is back`, () => isBack(world, victim, restartsBefore), backWithinMs);
    await until('the mind has its hands', async () => (await device.app.call('update.status', {})).ok, backWithinMs);
  };

  return {
    kills,
    allThere,
    look,
    async killIn(phase, work) {
      const victim = victimOf(phase);
      const before = victim === 'power' ? 0 : (restartsOf(world)[victim] ?? 0);
      let cut = Promise.resolve();
      let isStruck = false;
      const killed = new AbortController();
      const strike = () => {
        // A mouth whose TPM socket is another one starts itself anew: for a moment nobody is there to be killed.
        isStruck = victim === 'power' || machine.signal(victim, 'SIGKILL');
        if (!isStruck) return;
        killed.abort();
        if (victim === 'power') cut = device.powerCut();
      };
      const watching = await watchFor(world, phaseKills[phase].moment(draw), strike);
      const working = work(killed.signal);
      void working.then(watching.end, watching.end);
      const isKilled = (await watching.reached) && isStruck;
      watching.end();
      await working;
      if (isKilled) {
        kills[phase][victim] += 1;
        await recover(victim, before, cut);
      }
      return isKilled;
    },
    close: () => client.close(),
  };
};
