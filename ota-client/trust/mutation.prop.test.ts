/**
 * What a change of a signed file can do: nothing. Every single bit of every file of a small repository counts.
 *
 * With Ed25519 alone all bits are tried each time. An ML-DSA-65 signature makes the files ten times as long:
 * `npm run tuf-bits` tries all of those, a run of the tests one in 101.
 */
import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { plainThreshold } from '#ota-client/interoperability/plain-threshold';
import { ed25519Key, Forge, never, now, person, type TestKey, trustIn } from './forge.fixture.ts';
import { newestRoot } from './root-chain.ts';
import type { Session, Trust } from './session.ts';
import { namedSnapshot } from './snapshot.ts';
import { roleTargets } from './targets.ts';
import { newestTimestamp } from './timestamp.ts';

const hybridStride = Number(process.env['ENIGM_BIT_STRIDE'] ?? 101);

/** The same keys for every role. */
const smallForge = (keys: readonly TestKey[], isHybrid: boolean): Forge => {
  const role = { keys, threshold: 1 };
  const forge = new Forge({ root: role, timestamp: role, snapshot: role, targets: role }, isHybrid);
  forge.publishRoot();
  return forge;
};

const repositories = [
  { kind: 'Ed25519 alone', forge: smallForge([ed25519Key('ada')], false), rule: { rule: plainThreshold }, stride: 1 },
  { kind: 'both algorithms', forge: smallForge(person('ada'), true), rule: {}, stride: hybridStride },
] as const;

describe.each(repositories)('one changed bit of a repository with $kind', async ({ forge, rule, stride }) => {
  // Without hashes of the files, so that signatures alone decide.
  forge.hashed = false;
  forge.publishRoot();
  forge.addTarget('targets', 'x', 'content', { releaseCounter: 1 });
  forge.publish();
  const trust = (): Trust => ({ ...trustIn(forge), ...rule });
  const session = (): Session => ({ trust: trust(), purpose: 'update', startMs: now.nowMs ?? 0, signal: never });
  const root = unwrap(await newestRoot(session()));
  const timestamp = unwrap(await newestTimestamp(session(), root));
  const snapshot = unwrap(await namedSnapshot(session(), root, timestamp));
  const authority = { role: 'targets', roleKeys: root.roles.targets, keys: root.keys };
  const steps = {
    root: () => newestRoot(session()),
    timestamp: () => newestTimestamp(session(), root),
    snapshot: () => namedSnapshot(session(), root, timestamp),
    targets: () => roleTargets(session(), root, snapshot, authority),
  } as const;

  test.each(Object.entries(steps))('is refused in %s', { timeout: 1_800_000 }, async (role, step) => {
    const name = forge.fileName(role, forge.versions.get(role) ?? 0);
    const original = forge.latest(role);
    const accepted: string[] = [];
    let tried = 0;
    for (let bit = 0; bit < original.length * 8; bit += stride) {
      const changed = original.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      forge.files.set(name, changed);
      if ((await step()).ok) accepted.push(`bit ${bit & 7} of byte ${bit >> 3}`);
      tried += 1;
    }
    forge.files.set(name, original);
    expect(accepted).toEqual([]);
    expect((await step()).ok).toBe(true);
    expect(tried).toBe(Math.ceil((original.length * 8) / stride));
  });
});
