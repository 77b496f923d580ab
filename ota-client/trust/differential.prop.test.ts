/**
 * Histories of a repository, honest and attacked, seen by our client under plain TUF 1.0 and by tuf-js 6.0.2: after each
 * step both accept or both refuse, and both trust the same versions. Only Ed25519, which both understand.
 *
 * `ENIGM_TUF_HISTORIES=10000 vitest run --project unit ota-client/trust/differential.prop` runs more;
 * `ENIGM_TUF_SEED=7` runs one again.
 */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { ourClient, tufJsClient } from './differential.fixture.ts';
import { type Edit, ed25519Key, type Forge, plainForge } from './forge.fixture.ts';
import type { Json } from './json.ts';
import type { TopRole } from './metadata.ts';

const histories = Number(process.env['ENIGM_TUF_HISTORIES'] ?? 300);
const onlySeed = process.env['ENIGM_TUF_SEED'];
const stepsPerHistory = 3;

/** Whole numbers below `below`, the same for the same seed. */
type Draw = (below: number) => number;
const drawing = (seed: number): Draw => {
  let count = 0;
  return (below) => {
    count += 1;
    return createHash('sha256').update(`tuf history ${seed} ${count}`).digest().readUInt32BE(0) % below;
  };
};
const pick = <T>(draw: Draw, items: readonly T[]): T => items[draw(items.length)] as T;

const topRoles: readonly TopRole[] = ['root', 'timestamp', 'snapshot', 'targets'];
const belowRoot = ['timestamp', 'snapshot', 'targets'] as const;
const patterns = ['*', '*.img', 'a*', 'os/*', 'os/?.img', '*/*', 'os/x.img', 'b/?', '?*?', '*a*'];
const paths = ['os/x.img', 'os/y.img', 'a.img', 'abc', 'b/c', 'none/at/all', '.hidden', 'a'];
const delegatedNames = ['alpha', 'beta', 'gamma', 'delta/epsilon', '?'];

let fresh = 0;
const freshKey = () => ed25519Key(`fresh ${fresh++}`);

/** New keys for a role; the next root is signed by the old and the new keys of root. */
const rotate = (forge: Forge, role: TopRole, count = 1, threshold = 1): void => {
  const old = forge.top.root.keys;
  forge.top[role] = { keys: Array.from({ length: count }, freshKey), threshold };
  forge.publishRoot({ by: [...new Set([...old, ...forge.top.root.keys])] });
};

const honest: Readonly<Record<string, (forge: Forge, draw: Draw) => void>> = {
  'everything anew': (forge) => forge.publish(),
  'a timestamp': (forge) => forge.publishTimestamp(),
  nothing: () => undefined,
  'a root': (forge) => forge.publishRoot(),
  'three roots': (forge) => {
    for (let count = 0; count < 3; count++) forge.publishRoot();
  },
  'other keys': (forge, draw) => {
    rotate(forge, pick(draw, topRoles));
    forge.publish();
  },
  'two of three': (forge, draw) => {
    rotate(forge, pick(draw, topRoles), 3, 2);
    forge.publish();
  },
  'hashes in the snapshot, or not': (forge) => {
    forge.hashed = !forge.hashed;
    forge.publish();
  },
  'a target': (forge, draw) => {
    forge.addTarget('targets', pick(draw, paths), `content ${draw(100)}`);
    forge.publish();
  },
  'recovery from fast-forward': (forge) => {
    forge.versions.set('timestamp', 1_000);
    forge.publishTimestamp();
    rotate(forge, 'timestamp');
    forge.versions.set('timestamp', 0);
    forge.publish();
  },
  delegations: (forge, draw) => {
    for (const name of delegatedNames) {
      if (draw(2) === 0) continue;
      const parents = ['targets', ...forge.delegated.keys()].filter((parent) => parent !== name);
      const isByHash = draw(4) === 0;
      forge.delegated.set(name, {
        parent: pick(draw, parents),
        keys: [freshKey()],
        threshold: 1,
        terminating: draw(3) === 0,
        ...(isByHash
          ? { prefixes: ['0', '1', '2', '3', '4', '5', '6', '7'] }
          : { paths: [pick(draw, patterns), pick(draw, patterns)] }),
      });
      forge.addTarget(name, pick(draw, paths), name);
    }
    forge.publish();
  },
};

const setting =
  (name: string, value: Json): Edit =>
  (signed) => {
    signed[name] = value;
  };
const changed = (forge: Forge, role: string, change: (bytes: Uint8Array) => Uint8Array): void => {
  forge.files.set(forge.fileName(role, forge.versions.get(role) ?? 0), change(forge.latest(role)));
};
const json = (bytes: Uint8Array) =>
  JSON.parse(new TextDecoder().decode(bytes)) as {
    signatures: { keyid: string; sig: string }[];
    signed: Record<string, unknown>;
  };
const rewritten = (change: (file: ReturnType<typeof json>) => void) => (bytes: Uint8Array) => {
  const file = json(bytes);
  change(file);
  return utf8(JSON.stringify(file));
};
/** Publish anew with one role edited before it is signed. */
const withRole = (forge: Forge, role: (typeof belowRoot)[number], options: Parameters<Forge['publishTimestamp']>[0]): void => {
  if (role === 'targets') forge.publishTargets('targets', options);
  else forge.publishTargets();
  forge.publishSnapshot(role === 'snapshot' ? options : {});
  forge.publishTimestamp(role === 'timestamp' ? options : {});
};

const attacks: Readonly<Record<string, (forge: Forge, draw: Draw) => void>> = {
  'another key signs': (forge, draw) => withRole(forge, pick(draw, belowRoot), { by: [freshKey()] }),
  'nobody signs': (forge, draw) => withRole(forge, pick(draw, belowRoot), { by: [] }),
  'a root that the old keys did not sign': (forge) => {
    forge.top.root = { keys: [freshKey()], threshold: 1 };
    forge.publishRoot();
  },
  'a root that its own keys did not sign': (forge) => {
    const old = forge.top.root.keys;
    forge.top.root = { keys: [freshKey()], threshold: 1 };
    forge.publishRoot({ by: old });
  },
  'a root that skips a version': (forge) => forge.publishRoot({ version: (forge.versions.get('root') ?? 0) + 2 }),
  'a root again': (forge) => forge.publishRoot({ version: forge.versions.get('root') ?? 0 }),
  'an expired root': (forge) => forge.publishRoot({ edit: setting('expires', '2020-01-01T00:00:00Z') }),
  'an expired role': (forge, draw) =>
    withRole(forge, pick(draw, belowRoot), { edit: setting('expires', '2020-01-01T00:00:00Z') }),
  'an old timestamp': (forge) => {
    forge.versions.set('timestamp', 0);
    forge.publishTimestamp();
  },
  'an old snapshot': (forge) => {
    forge.versions.set('snapshot', 1);
    forge.publishTimestamp();
  },
  'old targets': (forge) => {
    forge.versions.set('targets', 1);
    forge.publishSnapshot();
    forge.publishTimestamp();
  },
  'targets that went away': (forge) => {
    forge.publishTargets();
    forge.publishSnapshot({ edit: setting('meta', {}) });
    forge.publishTimestamp();
  },
  'a snapshot from another time': (forge) => {
    forge.publish();
    const before = forge.latest('snapshot');
    forge.publish();
    changed(forge, 'snapshot', () => before);
  },
  'targets from another time': (forge) => {
    forge.publish();
    const before = forge.latest('targets');
    forge.publish();
    changed(forge, 'targets', () => before);
  },
  'a timestamp that names another version': (forge) => {
    forge.publishTargets();
    forge.publishSnapshot();
    const meta = { 'snapshot.json': { version: (forge.versions.get('snapshot') ?? 0) + 1 } };
    forge.publishTimestamp({ edit: setting('meta', meta) });
  },
  'no file': (forge, draw) => {
    forge.publish();
    const role = pick(draw, belowRoot);
    forge.files.delete(forge.fileName(role, forge.versions.get(role) ?? 0));
  },
  'one changed byte': (forge, draw) => {
    forge.publish();
    changed(forge, pick(draw, belowRoot), (bytes) => {
      const at = draw(bytes.length);
      return bytes.map((byte, index) => (index === at ? byte ^ (1 << draw(8)) : byte));
    });
  },
  'half a file': (forge, draw) => {
    forge.publish();
    changed(forge, pick(draw, belowRoot), (bytes) => bytes.subarray(0, draw(bytes.length)));
  },
  'the signature twice': (forge, draw) => {
    forge.hashed = false;
    forge.publish();
    changed(
      forge,
      pick(draw, belowRoot),
      rewritten(({ signatures }) => void signatures.push(...signatures)),
    );
  },
  'an empty signature': (forge, draw) => {
    forge.hashed = false;
    forge.publish();
    changed(
      forge,
      pick(draw, belowRoot),
      rewritten((file) => {
        file.signatures = file.signatures.map(({ keyid }) => ({ keyid, sig: '' }));
      }),
    );
  },
  'another kind of metadata': (forge, draw) => withRole(forge, pick(draw, belowRoot), { edit: setting('_type', 'root') }),
  'another specification': (forge, draw) => withRole(forge, pick(draw, belowRoot), { edit: setting('spec_version', '2.0.0') }),
  'no version': (forge, draw) => withRole(forge, pick(draw, belowRoot), { edit: (signed) => void delete signed['version'] }),
  'a threshold that cannot be reached': (forge, draw) => {
    const role = pick(draw, belowRoot);
    forge.top[role] = { ...forge.top[role], threshold: 9 };
    forge.publishRoot();
    forge.publish();
  },
  'a threshold of nothing': (forge) => {
    forge.top.timestamp = { keys: [], threshold: 0 };
    forge.publishRoot();
    forge.publish();
  },
  'unknown fields': (forge, draw) =>
    withRole(forge, pick(draw, belowRoot), { edit: setting('x-other', { a: [1, null, true, 'ü'] }) }),
};

/**
 * What the clients saw is taken back; what they kept is not. No version is used twice for two files: for a repository
 * that does so the clients differ, see `differences.test.ts`.
 */
const whileAttacked = async (forge: Forge, attack: () => void, look: () => Promise<void>): Promise<void> => {
  const files = new Map(forge.files);
  const before = new Map(forge.versions);
  const { hashed, top } = { hashed: forge.hashed, top: { ...forge.top } };
  attack();
  await look();
  forge.files.clear();
  for (const [name, bytes] of files) forge.files.set(name, bytes);
  Object.assign(forge.top, top);
  forge.hashed = hashed;
  for (const [role, version] of before)
    forge.versions.set(role, role === 'root' ? version : Math.max(version, forge.versions.get(role) ?? 0));
  forge.publish();
};

const runHistory = async (seed: number, count: (kind: string, accepted: boolean) => void): Promise<void> => {
  const draw = drawing(seed);
  const forge = plainForge(Date.now());
  const root = forge.latest('root');
  const clients = [ourClient(forge, root), tufJsClient(forge, root)] as const;
  const told: string[] = [];
  const look = async (kind: string): Promise<void> => {
    const target = draw(2) === 0 ? undefined : pick(draw, paths);
    const [ours, theirs] = [await clients[0].update(target), await clients[1].update(target)];
    told.push(`${kind}${target === undefined ? '' : `, ${target}`}: ${ours.why} | ${theirs.why}`);
    const story = `seed ${seed}\n${told.join('\n')}`;
    expect(ours.accepted, story).toBe(theirs.accepted);
    expect(ours.versions, story).toEqual(theirs.versions);
    count(kind, ours.accepted);
  };
  try {
    for (let step = 0; step < stepsPerHistory; step++) {
      const isAttack = draw(2) === 0;
      const kind = pick(draw, Object.keys(isAttack ? attacks : honest));
      if (isAttack)
        await whileAttacked(
          forge,
          () => attacks[kind]?.(forge, draw),
          () => look(kind),
        );
      else {
        honest[kind]?.(forge, draw);
        await look(kind);
      }
    }
  } finally {
    for (const client of clients) client.close();
  }
};

test(`${histories} histories end alike for both clients`, { timeout: 60_000 + histories * 100 }, async () => {
  const seen = new Map<string, Set<boolean>>();
  const seeds = onlySeed === undefined ? Array.from({ length: histories }, (_, index) => index) : [Number(onlySeed)];
  for (const seed of seeds)
    await runHistory(seed, (kind, accepted) => seen.set(kind, (seen.get(kind) ?? new Set()).add(accepted)));
  if (seeds.length < 300) return;
  // Every kind of step came up, and both answers did.
  expect([...seen.keys()].toSorted()).toEqual([...Object.keys(honest), ...Object.keys(attacks)].toSorted());
  expect(
    [...seen.values()].some((answers) => answers.has(true)) && [...seen.values()].some((answers) => answers.has(false)),
  ).toBe(true);
});
