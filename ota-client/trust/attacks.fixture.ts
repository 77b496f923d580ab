/** What somebody does who holds the mirror, or some of the keys, at random. */
import { createHash } from 'node:crypto';
import { utf8 } from '#hal/core/bytes';
import { publishWith, setting } from './difference.fixture.ts';
import { pick } from './draw.fixture.ts';
import type { Forge, TestKey } from './forge.fixture.ts';
import type { World } from './honest.fixture.ts';
import { randomEdit } from './random-edit.fixture.ts';

const belowRoot = ['timestamp', 'snapshot', 'targets'] as const;
const expired = { expires: '2020-01-01T00:00:00Z' };

const changed = (forge: Forge, role: string, change: (bytes: Uint8Array) => Uint8Array): void => {
  forge.files.set(forge.fileName(role, forge.versions.get(role) ?? 0), change(forge.latest(role)));
};
interface File {
  signatures: { keyid: string; sig: string }[];
}
const rewritten = (change: (file: File) => void) => (bytes: Uint8Array) => {
  const file = JSON.parse(new TextDecoder().decode(bytes)) as File;
  change(file);
  return utf8(JSON.stringify(file));
};
/** A file that nobody describes by its hash is changed after it was signed. */
const resigned = ({ forge, draw }: World, change: (file: File) => void): void => {
  forge.hashed = false;
  forge.publish();
  changed(forge, pick(draw, belowRoot), rewritten(change));
};
const fromAnotherTime = (forge: Forge, role: string): void => {
  forge.publish();
  const before = forge.latest(role);
  forge.publish();
  changed(forge, role, () => before);
};
const signedOnlyBy = (key: TestKey | undefined) => (world: World) =>
  publishWith(world.forge, pick(world.draw, belowRoot), { by: [key ?? world.freshKey()] });

export const attacks: Readonly<Record<string, (world: World) => void>> = {
  'another key signs': signedOnlyBy(undefined),
  'nobody signs': ({ forge, draw }) => publishWith(forge, pick(draw, belowRoot), { by: [] }),
  'the keys of another role sign': ({ forge, draw }) =>
    publishWith(forge, pick(draw, belowRoot), { by: forge.top[pick(draw, belowRoot)].keys }),
  'a delegated role is signed by another': ({ forge, draw }) => {
    const names = [...forge.delegated.keys()];
    if (names.length > 0) forge.publishTargets(pick(draw, names), { by: forge.delegated.get(pick(draw, names))?.keys ?? [] });
    publishWith(forge, 'targets', {});
  },
  'a root that the old keys did not sign': ({ forge, freshKey }) => {
    forge.top.root = { keys: [freshKey()], threshold: 1 };
    forge.publishRoot();
  },
  'a root that its own keys did not sign': ({ forge, freshKey }) => {
    const old = forge.top.root.keys;
    forge.top.root = { keys: [freshKey()], threshold: 1 };
    forge.publishRoot({ by: old });
  },
  'a root that skips a version': ({ forge }) => forge.publishRoot({ version: (forge.versions.get('root') ?? 0) + 2 }),
  'a root again': ({ forge }) => forge.publishRoot({ version: forge.versions.get('root') ?? 0 }),
  'an expired root': ({ forge }) => forge.publishRoot({ edit: (part) => Object.assign(part, expired) }),
  'an expired role': ({ forge, draw }) => setting(pick(draw, belowRoot), expired)(forge),
  'an old timestamp': ({ forge }) => {
    forge.versions.set('timestamp', 0);
    forge.publishTimestamp();
  },
  'an old snapshot': ({ forge }) => {
    forge.versions.set('snapshot', 1);
    forge.publishTimestamp();
  },
  'old targets': ({ forge }) => {
    forge.versions.set('targets', 1);
    forge.publishSnapshot();
    forge.publishTimestamp();
  },
  'targets that went away': ({ forge }) => setting('snapshot', { meta: {} })(forge),
  'a snapshot from another time': ({ forge }) => fromAnotherTime(forge, 'snapshot'),
  'targets from another time': ({ forge }) => fromAnotherTime(forge, 'targets'),
  'one file in the place of another': ({ forge, draw }) => {
    forge.publish();
    const other = forge.latest(pick(draw, belowRoot));
    changed(forge, pick(draw, belowRoot), () => other);
  },
  'a timestamp that names another version': ({ forge }) =>
    setting('timestamp', { meta: { 'snapshot.json': { version: (forge.versions.get('snapshot') ?? 0) + 2 } } })(forge),
  'a hash of something else': ({ forge, draw }) => {
    const wrong = { version: 1 + (forge.versions.get('targets') ?? 0), hashes: { sha256: createHash('sha256').digest('hex') } };
    setting('snapshot', { meta: { 'targets.json': { ...wrong, length: draw(5000) } } })(forge);
  },
  'no file': ({ forge, draw }) => {
    forge.publish();
    const role = pick(draw, belowRoot);
    forge.files.delete(forge.fileName(role, forge.versions.get(role) ?? 0));
  },
  'one changed bit': ({ forge, draw }) => {
    forge.hashed = draw(2) === 0;
    forge.publish();
    changed(forge, pick(draw, belowRoot), (bytes) => {
      const at = draw(bytes.length);
      return bytes.map((byte, index) => (index === at ? byte ^ (1 << draw(8)) : byte));
    });
  },
  'half a file': ({ forge, draw }) => {
    forge.publish();
    changed(forge, pick(draw, belowRoot), (bytes) => bytes.subarray(0, draw(bytes.length)));
  },
  'the signature twice': (world) => resigned(world, ({ signatures }) => void signatures.push(...signatures)),
  'an empty signature': (world) =>
    resigned(world, (file) => {
      file.signatures = file.signatures.map(({ keyid }) => ({ keyid, sig: '' }));
    }),
  'a signature under another id': (world) =>
    resigned(world, (file) => {
      file.signatures = file.signatures.map(({ sig }, index) => ({ keyid: `${index}`, sig }));
    }),
  'another kind of metadata': ({ forge, draw }) => setting(pick(draw, belowRoot), { _type: 'root' })(forge),
  'another specification': ({ forge, draw }) => setting(pick(draw, belowRoot), { spec_version: '2.0.0' })(forge),
  'any field, signed': (world) => {
    const role = pick(world.draw, belowRoot);
    publishWith(world.forge, role, { edit: (part) => randomEdit(part, world.draw) });
  },
  'any field of a root, signed': ({ forge, draw }) => forge.publishRoot({ edit: (part) => randomEdit(part, draw) }),
  'a threshold that cannot be reached': ({ forge, draw }) => {
    const role = pick(draw, belowRoot);
    forge.top[role] = { ...forge.top[role], threshold: 9 };
    forge.publishRoot();
    forge.publish();
  },
  'a threshold of nothing': ({ forge }) => {
    forge.top.timestamp = { keys: [], threshold: 0 };
    forge.publishRoot();
    forge.publish();
  },
  'unknown fields': ({ forge, draw }) => setting(pick(draw, belowRoot), { 'x-other': { a: [1, null, true, 'ü'] } })(forge),
};

/**
 * What the clients saw is taken back; what they kept is not. No version is used twice for two files: for a repository
 * that does so the clients differ, see `differences.test.ts`.
 */
export const whileAttacked = async ({ forge }: World, attack: () => void, look: () => Promise<void>): Promise<void> => {
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
