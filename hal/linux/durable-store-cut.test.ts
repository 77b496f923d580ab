/**
 * The power is cut while SQLite makes a value durable: of what one `put` changed in its files any sectors may be there.
 *
 * First the log is written and synced, then, at times, pages go from the log into the database; a cut falls into one of
 * the two. Which calls SQLite makes is not looked at: every mixture of the files before and after stands for them.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { openDurableStore } from '#hal/linux/durable-store';
import { seededRandom } from '#hal/memory/random';

const seed = process.env['FUZZ_SEED'] ?? 'durable store';
const random = seededRandom(seed);
const directory = mkdtempSync(join(tmpdir(), 'enigm-cut-'));
afterAll(() => rmSync(directory, { recursive: true }));
const sectorBytes = 512;
const tornPerCut = 6;

interface Files {
  readonly database: Uint8Array;
  readonly log: Uint8Array;
}
const nothing = new Uint8Array();
const readOr = (path: string) => (existsSync(path) ? new Uint8Array(readFileSync(path)) : nothing);
const filesOf = (path: string): Files => ({ database: readOr(path), log: readOr(`${path}-wal`) });

/** Half of the sectors of `after` over `before`, or nearly all of them; what a file grew by may end early. */
const torn = (before: Uint8Array, after: Uint8Array): Uint8Array => {
  const mixed = new Uint8Array(Math.max(before.length, after.length));
  mixed.set(before);
  const [shape = 0, end = 0] = random.bytes(2);
  const lostOneIn = shape % 2 === 0 ? 2 : 100;
  const choices = random.bytes(Math.ceil(mixed.length / sectorBytes));
  for (let start = 0, sector = 0; start < after.length; start += sectorBytes, sector += 1)
    if ((choices[sector] ?? 0) % lostOneIn !== 0) mixed.set(after.subarray(start, start + sectorBytes), start);
  const grownBytes = Math.max(0, after.length - before.length);
  return shape % 4 < 2 ? mixed : mixed.slice(0, mixed.length - Math.floor((grownBytes * end) / 256));
};

let mixtures = 0;
/** What the store says that is opened over such files. */
const reopened = ({ database, log }: Files, keys: readonly string[]): readonly (Uint8Array | undefined)[] => {
  const folder = join(directory, `${mixtures++}`);
  mkdirSync(folder);
  const path = join(folder, 'store.db');
  writeFileSync(path, database);
  writeFileSync(`${path}-wal`, log);
  const store = unwrap(openDurableStore(path));
  const values = keys.map((key) => unwrap(store.get(key)));
  store.close();
  rmSync(folder, { recursive: true });
  return values;
};

test(`a put is whole or has not happened, and no other value is touched (FUZZ_SEED=${seed})`, () => {
  const path = join(directory, 'store.db');
  const store = unwrap(openDurableStore(path));
  const keys = ['root/2', 'root/3', 'timestamp.json', 'snapshot.json', 'targets.json'];
  const kept = new Map<string, Uint8Array>();
  let checkpoints = 0;
  let outcomes = { old: 0, new: 0 };
  for (let round = 0; round < 50; round += 1) {
    const key = keys[round % keys.length] ?? '';
    // Large ones, until the log is written into the database and begins anew.
    const value = random.bytes(round < 20 ? 3_000 : 200_000);
    const before = filesOf(path);
    unwrap(store.put(key, value));
    const after = filesOf(path);
    const hasCheckpoint = Buffer.compare(before.database, after.database) !== 0;
    if (hasCheckpoint) checkpoints += 1;
    const isLookedAt = hasCheckpoint || round < 20 || round % 10 === 0;
    for (let count = 0; isLookedAt && count < tornPerCut; count += 1) {
      const cuts: readonly Files[] = [
        { database: before.database, log: torn(before.log, after.log) },
        ...(hasCheckpoint ? [{ database: torn(before.database, after.database), log: after.log }] : []),
      ];
      for (const files of cuts) {
        const values = reopened(files, keys);
        for (const [at, name] of keys.entries()) {
          const is = Buffer.from(values[at] ?? nothing);
          if (name !== key) expect(is.equals(kept.get(name) ?? nothing), `${name} in round ${round}`).toBe(true);
          else if (is.equals(value)) outcomes = { ...outcomes, new: outcomes.new + 1 };
          else {
            expect(is.equals(kept.get(key) ?? nothing), `${key} in round ${round}`).toBe(true);
            expect(files.log === after.log, 'what was synced is lost').toBe(false);
            outcomes = { ...outcomes, old: outcomes.old + 1 };
          }
        }
      }
    }
    kept.set(key, value);
  }
  store.close();
  expect(checkpoints).toBeGreaterThan(0);
  expect(Math.min(outcomes.old, outcomes.new)).toBeGreaterThan(10);
});
