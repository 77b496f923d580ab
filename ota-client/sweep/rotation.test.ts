/**
 * The power is cut at every call of a rotation of keys: two new roots, new keys of every role, and all metadata anew. The
 * store writes each value by `writeAtomically`, over a folder whose names and contents are durable apart.
 */
import { describe, expect, test } from 'vitest';
import { codeOf, ok, type Result, unwrap } from '#hal/core/result';
import { type FileCalls, writeAtomically } from '#hal/linux/atomic-file';
import { seededRandom } from '#hal/memory/random';
import { type FolderState, folderName, folderStates, type RecordedFiles, recordedFiles } from '#hal/memory/recorded-files';
import { Forge, hybridForge, never, now, person, trustIn } from '../trust/forge.fixture.ts';
import { type Repository, refresh, refreshForRepair } from '../trust/refresh.ts';
import type { Trust } from '../trust/session.ts';

const seed = process.env['FUZZ_SEED'] ?? 'rotation';
const folder = '/trust';
const pathOf = (key: string) => `${folder}/${encodeURIComponent(key)}`;
const keys = ['root/2', 'root/3', 'timestamp.json', 'snapshot.json', 'targets.json'];

const storeOn = (files: RecordedFiles, calls: FileCalls): Trust['store'] => ({
  get: (key) => ok(files.read(pathOf(key))),
  put: (key, value) => writeAtomically(pathOf(key), value, 0o600, calls),
});

/** The repository before the rotation, and after it. */
const rotated = () => {
  const forge = hybridForge();
  const before = new Forge(forge.top, true);
  for (const [name, bytes] of forge.files) before.files.set(name, bytes);
  for (const keepers of [
    ['dot', 'eve', 'fay'],
    ['gus', 'hal', 'ivy'],
  ]) {
    const old = forge.top.root.keys;
    const fresh = keepers.flatMap(person);
    for (const role of ['root', 'targets'] as const) forge.top[role] = { keys: fresh, threshold: 2 };
    for (const role of ['snapshot', 'timestamp'] as const) forge.top[role] = { keys: fresh.slice(0, 2), threshold: 1 };
    forge.publishRoot({ by: [...old, ...fresh] });
  }
  forge.addTarget('targets', 'os/x.img', 'the new release');
  forge.publish();
  return { before, after: forge };
};
const { before, after } = rotated();

const trustOver = (forge: Forge, files: RecordedFiles, calls: FileCalls): Trust => ({
  ...trustIn(forge),
  store: storeOn(files, calls),
});

interface Swept {
  checks: number;
  lives: number;
}

/** @param plant what the calls become: a store with a fault of order */
const sweepRotation = async (cuts: number, plant: (files: RecordedFiles) => FileCalls = (files) => files): Promise<Swept> => {
  const first = recordedFiles(new Map());
  unwrap(await refresh(trustOver(before, first, first), now, never));
  const start: FolderState = new Map(keys.flatMap((key) => kept(first, key)));
  const known = new Set<string>();
  const swept = { checks: 0, lives: 0 };
  let states: readonly FolderState[] = [start];
  for (let cut = 1; cut <= cuts; cut += 1) {
    const next: FolderState[] = [];
    for (const from of states) {
      const files = recordedFiles(from);
      unwrap(await refresh(trustOver(after, files, plant(files)), now, never));
      swept.lives += 1;
      for (const { atOperation, state } of folderStates(from, files.operations, seededRandom(`${seed} ${cut}`))) {
        swept.checks += 1;
        const isNew = !known.has(folderName(state));
        known.add(folderName(state));
        if (isNew) next.push(state);
        const broken = [...brokenValues(start, state), ...(isNew ? await brokenTrust(state) : [])];
        const where = `cut ${cut} at ${atOperation} of ${files.operations.length}`;
        if (broken.length > 0) throw new Error(`${where}: ${broken.join('; ')}`);
      }
    }
    states = next;
  }
  return swept;
};

const kept = (files: RecordedFiles, key: string): readonly (readonly [string, Uint8Array])[] => {
  const bytes = files.read(pathOf(key));
  return bytes === undefined ? [] : [[pathOf(key), bytes]];
};

const published = (forge: Forge, key: string): Uint8Array | undefined =>
  key.startsWith('root/') ? forge.files.get(`${key.slice('root/'.length)}.root.json`) : latest(forge, key.replace('.json', ''));
const latest = (forge: Forge, role: string): Uint8Array | undefined =>
  [...forge.files].findLast(([name]) => name === `${role}.json` || name.endsWith(`.${role}.json`))?.[1];

/** Each value is whole: the old one or the new one. */
const brokenValues = (start: FolderState, state: FolderState): readonly string[] =>
  keys.flatMap((key) => {
    const value = state.get(pathOf(key));
    const allowed = [start.get(pathOf(key)), published(after, key)];
    return allowed.some((one) => Buffer.compare(one ?? nothing, value ?? nothing) === 0)
      ? []
      : [`${key} is neither the old nor the new one`];
  });
const nothing = new Uint8Array();

/** A person with a stick and without a clock repairs, and a refresh comes to the newest root. */
const brokenTrust = async (state: FolderState): Promise<readonly string[]> => {
  const [stick, files] = [recordedFiles(state), recordedFiles(state)];
  const repaired = await refreshForRepair(trustOver(after, stick, stick), 0, never);
  const refreshed = await refresh(trustOver(after, files, files), now, never);
  const told = (what: string, result: Result<Repository>) => {
    if (!result.ok) return [`${what}: ${codeOf(result.fault)}`];
    return result.value.root.version === 3 ? [] : [`${what}: at root ${result.value.root.version}`];
  };
  return [...told('repair', repaired), ...told('liveness', refreshed)];
};

describe(`a rotation of keys (FUZZ_SEED=${seed})`, () => {
  test('cut at every call, and again in every recovery, is the old trust or the new one, and comes to its end', async () => {
    const { checks, lives } = await sweepRotation(2);
    process.stderr.write(`rotation: ${checks} checks, ${lives} lives\n`);
    expect(checks).toBeGreaterThan(400);
  });

  test('cut with a file that is not synced before it is renamed is found', async () => {
    const unsynced = (files: RecordedFiles): FileCalls => ({
      ...files,
      sync: (file) => (file < 0 ? files.sync(file) : undefined),
    });
    await expect(sweepRotation(1, unsynced)).rejects.toThrow(/is neither the old nor the new one/);
  });

  test('cut with a value that is written over in place is found', async () => {
    const inPlace = (files: RecordedFiles): FileCalls => ({
      ...files,
      create: (path, mode) => {
        const target = path.replace(/\.new$/, '');
        files.remove(target);
        return files.create(target, mode);
      },
      rename: () => undefined,
    });
    await expect(sweepRotation(1, inPlace)).rejects.toThrow(/is neither the old nor the new one/);
  });
});
