/**
 * Histories of a repository, honest and attacked, seen by our client under plain TUF 1.0 and by tuf-js 6.0.2: after each
 * step both accept or both refuse, both find the same target, and both trust the same versions of all roles. Where they
 * do not, the difference has a name in docs/tuf.md, and the history ends. Only Ed25519 beside that, which both understand.
 *
 * `npm run tuf-differential` runs 10,000; `ENIGM_TUF_SEED=7` runs one again.
 */
import { expect, test } from 'vitest';
import { attacks, whileAttacked } from './attacks.fixture.ts';
import type { Difference } from './difference.fixture.ts';
import { ourClient, tufJsClient, type Verdict } from './differential.fixture.ts';
import { drawing, pick } from './draw.fixture.ts';
import { plainForge } from './forge.fixture.ts';
import { honest, newWorld, paths, type World } from './honest.fixture.ts';
import { looser } from './looser.fixture.ts';
import { stricter } from './stricter.fixture.ts';

const histories = Number(process.env['ENIGM_TUF_HISTORIES'] ?? 300);
const onlySeed = process.env['ENIGM_TUF_SEED'];
const stepsPerHistory = 4;

type Verdicts = readonly [ours: Verdict, theirs: Verdict];
const isAlike = ([ours, theirs]: Verdicts): boolean =>
  JSON.stringify([ours.accepted, ours.found, ours.versions]) === JSON.stringify([theirs.accepted, theirs.found, theirs.versions]);

/** The name of the difference that one of the two clients tells as its reason. */
const toldDifference = ([ours, theirs]: Verdicts): string | undefined => {
  const tells = ({ accepted, why }: Verdict, all: readonly Difference[]) =>
    accepted ? undefined : all.find((difference) => difference.isTelling && difference.why.test(why))?.name;
  return tells(ours, stricter) ?? tells(theirs, looser);
};

/** One of the named differences, made in the middle of a history. */
const madeDifference = (world: World) => {
  const isStricter = world.draw(5) > 0;
  const difference = pick(world.draw, isStricter ? stricter : looser);
  /** Whatever the other one says, for whatever reason of its own. */
  const isShown = ([ours, theirs]: Verdicts): boolean => difference.why.test((isStricter ? ours : theirs).why);
  return { ...difference, isShown };
};

interface Tally {
  readonly steps: Map<string, Set<boolean>>;
  readonly differences: Map<string, number>;
}

const runHistory = async (seed: number, { steps, differences }: Tally): Promise<void> => {
  const draw = drawing(`tuf history ${seed}`);
  const forge = plainForge();
  const root = forge.latest('root');
  const clients = [ourClient(forge, root), tufJsClient(forge, root)] as const;
  const world = newWorld(forge, draw);
  const told: string[] = [];
  const verdictsOn = async (kind: string, target: string | undefined): Promise<Verdicts> => {
    const verdicts = [await clients[0].update(world.nowMs, target), await clients[1].update(world.nowMs, target)] as const;
    told.push(`${kind}${target === undefined ? '' : `, ${target}`}: ${verdicts[0].why} | ${verdicts[1].why}`);
    return verdicts;
  };
  const count = (name: string) => void differences.set(name, (differences.get(name) ?? 0) + 1);
  /** @returns whether the two still trust the same */
  const look = async (kind: string): Promise<boolean> => {
    const verdicts = await verdictsOn(kind, draw(2) === 0 ? undefined : pick(draw, paths));
    const [ours, theirs] = verdicts;
    steps.set(kind, (steps.get(kind) ?? new Set()).add(ours.accepted));
    if (isAlike(verdicts)) return true;
    const difference = toldDifference(verdicts);
    const story = `seed ${seed}\n${told.join('\n')}`;
    if (difference === undefined)
      expect([ours.accepted, ours.found, ours.versions], story).toEqual([theirs.accepted, theirs.found, theirs.versions]);
    count(difference ?? '');
    return false;
  };
  const takeStep = async (): Promise<boolean> => {
    const isAttack = draw(2) === 0;
    const kind = pick(draw, Object.keys(isAttack ? attacks : honest));
    if (!isAttack) {
      honest[kind]?.(world);
      return look(kind);
    }
    let goesOn = true;
    const attack = () => attacks[kind]?.(world);
    await whileAttacked(world, attack, async () => {
      goesOn = await look(kind);
    });
    return goesOn;
  };
  try {
    for (let step = 0; step < stepsPerHistory; step++) if (!(await takeStep())) return;
    if (draw(3) > 0) return;
    const difference = madeDifference(world);
    difference.make(forge);
    const verdicts = await verdictsOn(difference.name, difference.target);
    expect(isAlike(verdicts) || difference.isShown(verdicts), `seed ${seed}\n${told.join('\n')}`).toBe(true);
    if (!isAlike(verdicts)) count(difference.name);
  } finally {
    for (const client of clients) client.close();
  }
};

test(`${histories} histories end alike for both clients, but for what has a name`, {
  timeout: 60_000 + histories * 200,
}, async () => {
  const tally: Tally = { steps: new Map(), differences: new Map() };
  const seeds = onlySeed === undefined ? Array.from({ length: histories }, (_, index) => index) : [Number(onlySeed)];
  for (const seed of seeds) await runHistory(seed, tally);
  if (seeds.length < 300) return;
  // Every kind of step came up, and both answers did.
  expect([...tally.steps.keys()].toSorted()).toEqual([...Object.keys(honest), ...Object.keys(attacks)].toSorted());
  const answers = [...tally.steps.values()];
  expect(answers.some((set) => set.has(true)) && answers.some((set) => set.has(false))).toBe(true);
  if (seeds.length < 10_000) return;
  expect([...tally.differences.keys()].toSorted()).toEqual([...stricter, ...looser].map(({ name }) => name).toSorted());
  process.stderr.write(
    [...tally.differences]
      .map(([name, times]) => `${times} × ${name}\n`)
      .toSorted()
      .join(''),
  );
});
