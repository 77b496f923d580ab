/** What an honest repository does from one day to the next, at random. */
import { type Draw, pick } from './draw.fixture.ts';
import { ed25519Key, type Forge, startMs, type TestKey } from './forge.fixture.ts';
import type { TopRole } from './metadata.ts';

export const topRoles: readonly TopRole[] = ['root', 'timestamp', 'snapshot', 'targets'];
const patterns = ['*', '*.img', 'a*', 'os/*', 'os/?.img', '*/*', 'os/x.img', 'b/?', '?*?', '*a*'];
export const paths = ['os/x.img', 'os/y.img', 'a.img', 'abc', 'b/c', 'none/at/all', '.hidden', 'a'];
const delegatedNames = ['alpha', 'beta', 'gamma', 'delta/epsilon', '?'];
const dayMs = 86_400_000;

/** One history: a repository, the time, and keys that were never seen before. */
export interface World {
  readonly forge: Forge;
  readonly draw: Draw;
  nowMs: number;
  freshKey(): TestKey;
}

export const newWorld = (forge: Forge, draw: Draw): World => {
  let fresh = 0;
  return { forge, draw, nowMs: startMs, freshKey: () => ed25519Key(`fresh ${fresh++}`) };
};

/** New keys for a role; the next root is signed by the old and the new keys of root. */
const rotate = ({ forge, freshKey }: World, role: TopRole, count = 1, threshold = 1): void => {
  const old = forge.top.root.keys;
  forge.top[role] = { keys: Array.from({ length: count }, freshKey), threshold };
  forge.publishRoot({ by: [...new Set([...old, ...forge.top.root.keys])] });
};

export const honest: Readonly<Record<string, (world: World) => void>> = {
  'everything anew': ({ forge }) => forge.publish(),
  'a timestamp': ({ forge }) => forge.publishTimestamp(),
  nothing: () => undefined,
  'a root': ({ forge }) => forge.publishRoot(),
  'three roots': ({ forge }) => {
    for (let count = 0; count < 3; count++) forge.publishRoot();
  },
  'other keys': (world) => {
    rotate(world, pick(world.draw, topRoles));
    world.forge.publish();
  },
  'two of three': (world) => {
    rotate(world, pick(world.draw, topRoles), 3, 2);
    world.forge.publish();
  },
  'several rotations at once': (world) => {
    for (let count = world.draw(4); count >= 0; count--) rotate(world, pick(world.draw, topRoles), 1 + world.draw(3));
    world.forge.publish();
  },
  'a key more, the old ones too': (world) => {
    const role = pick(world.draw, topRoles);
    const old = world.forge.top[role].keys;
    rotate(world, role);
    world.forge.top[role] = { keys: [...old, ...world.forge.top[role].keys], threshold: 1 + world.draw(2) };
    world.forge.publishRoot();
    world.forge.publish();
  },
  'hashes in the snapshot, or not': ({ forge }) => {
    forge.hashed = !forge.hashed;
    forge.publish();
  },
  'versions in names, or not': ({ forge }) => {
    forge.consistent = !forge.consistent;
    forge.publishRoot();
    forge.publish();
  },
  'a target': ({ forge, draw }) => {
    forge.addTarget('targets', pick(draw, paths), `content ${draw(100)}`, draw(2) === 0 ? undefined : { any: [{ thing: null }] });
    forge.publish();
  },
  'a target that goes': ({ forge, draw }) => {
    forge.roleTargets('targets').delete(pick(draw, paths));
    forge.publish();
  },
  'days, and everything anew': (world) => {
    world.nowMs += world.draw(40) * dayMs;
    world.forge.expiresMs = world.nowMs + (1 + world.draw(30)) * dayMs;
    world.forge.publishRoot();
    world.forge.publish();
  },
  'days, and a timestamp': (world) => {
    world.nowMs += world.draw(3) * dayMs;
    world.forge.expiresMs = world.nowMs + dayMs;
    world.forge.publishTimestamp();
  },
  'recovery from fast-forward': (world) => {
    const { forge } = world;
    forge.versions.set('timestamp', 1_000);
    forge.publishTimestamp();
    rotate(world, 'timestamp');
    forge.versions.set('timestamp', 0);
    forge.publish();
  },
  'hash bins': ({ forge, draw, freshKey }) => {
    forge.bins = { prefix: 'bin', bits: 1 + draw(3), keys: [freshKey()], threshold: 1 };
    for (let bin = 0; bin < 2 ** forge.bins.bits; bin++) forge.addTarget(`bin-${bin}`, pick(draw, paths), `bin ${bin}`);
    forge.publish();
  },
  delegations: ({ forge, draw, freshKey }) => {
    forge.bins = undefined;
    for (const name of delegatedNames) {
      if (draw(2) === 0) continue;
      const parents = ['targets', ...forge.delegated.keys()].filter((parent) => parent !== name);
      const covered =
        draw(4) === 0
          ? { prefixes: ['0', '1', '2', '3', '4', '5', '6', '7'] }
          : { paths: [pick(draw, patterns), pick(draw, patterns)] };
      const count = 1 + draw(2);
      forge.delegated.set(name, {
        parent: pick(draw, parents),
        ...{ keys: Array.from({ length: count }, freshKey), threshold: 1 + draw(count), terminating: draw(3) === 0 },
        ...covered,
      });
      forge.addTarget(name, pick(draw, paths), name);
    }
    forge.publish();
  },
};
