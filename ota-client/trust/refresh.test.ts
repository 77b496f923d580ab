/**
 * Each rule of TUF 1.0 §5.2 to §5.6, accepted and just refused, under the custodian rule; the numbers are those of the
 * fault table of updates in docs/threat-model.md.
 */
import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { deny, unwrap } from '#hal/core/result';
import {
  at,
  codeFor,
  type Forge,
  forgeFetch,
  hybridForge,
  never,
  now,
  person,
  startMs,
  storyOf,
  trustIn,
} from './forge.fixture.ts';
import { maxRootsPerRefresh, metadataBytes } from './limits.ts';
import { refresh, refreshForRepair } from './refresh.ts';
import type { Fetch, Trust } from './session.ts';

const dayMs = 24 * 3_600_000;

/** A device that goes on: what it kept is there at the next update. */
const device = (forge: Forge) => {
  const kept = new Map<string, Uint8Array>();
  const trust = trustIn(forge, kept);
  return {
    kept,
    trust,
    update: async (time = now, with_: Partial<Trust> = {}) => refresh({ ...trust, ...with_ }, time, never),
  };
};

describe('an update', () => {
  test('fetches the next root, timestamp, snapshot and targets, and nothing twice', async () => {
    const forge = hybridForge();
    const { update } = device(forge);
    const { root, snapshot, targets } = unwrap(await update());
    expect([root.version, snapshot.version, targets.version]).toEqual([1, 1, 1]);
    expect(forge.asked).toEqual(['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json']);
    forge.asked.length = 0;
    unwrap(await update());
    expect(forge.asked).toEqual(['2.root.json', 'timestamp.json']);
  });

  test('takes names without versions where the root says so (§6.2)', async () => {
    const forge = hybridForge();
    forge.consistent = false;
    forge.publishRoot();
    forge.publish();
    unwrap(await device(forge).update());
    expect(forge.asked).toEqual(['2.root.json', '3.root.json', 'timestamp.json', 'snapshot.json', 'targets.json']);
  });

  test('ends with the fault of the fetcher, and goes on the next time', async () => {
    const forge = hybridForge();
    const { update } = device(forge);
    const down: Fetch = async () => deny('unavailable', 'peer-unreachable');
    expect(codeFor(await update(now, { fetch: down }))).toBe('unavailable/peer-unreachable');
    expect(codeFor(await update())).toBe('ok');
  });

  test('ends when it is called off', async () => {
    const called = AbortSignal.abort();
    expect(codeFor(await refresh(trustIn(hybridForge()), now, called))).toBe('unavailable/aborted');
  });

  test('ends with the fault of the store, before anything is trusted that was not kept', async () => {
    const forge = hybridForge();
    const full: Trust['store'] = {
      get: () => ({ ok: true, value: undefined }),
      put: () => deny('unavailable', 'storage-failed'),
    };
    expect(codeFor(await device(forge).update(now, { store: full }))).toBe('unavailable/storage-failed');
    const broken: Trust['store'] = {
      get: () => deny('unavailable', 'storage-failed'),
      put: () => ({ ok: true, value: undefined }),
    };
    expect(codeFor(await device(forge).update(now, { store: broken }))).toBe('unavailable/storage-failed');
  });
});

describe('root (§5.2, §5.3)', () => {
  test('follows each version, signed by the rule of N and of N+1', async () => {
    const forge = hybridForge();
    const { update } = device(forge);
    const [ada, bea, cyd, dan] = ['ada', 'bea', 'cyd', 'dan'].map(person);
    const old = forge.top.root.keys;
    forge.top.root = { keys: [...(bea ?? []), ...(cyd ?? []), ...(dan ?? [])], threshold: 2 };
    forge.publishRoot({ by: [...old, ...(dan ?? [])] });
    forge.publishRoot({ by: [...(cyd ?? []), ...(dan ?? [])] });
    expect(unwrap(await update()).root.version).toBe(3);
    forge.publishRoot({ by: [...(ada ?? []), ...(cyd ?? [])] });
    expect(codeFor(await update())).toBe('integrity/custodians-missing');
  });

  test.each([
    ['signed by the new custodians alone', ['dan', 'eve']],
    ['signed by the old custodians alone', ['ada', 'bea']],
    ['signed by one of each', ['ada', 'dan']],
  ])('refuses a change of custodians that is %s', async (_, signers) => {
    const forge = hybridForge();
    forge.top.root = { keys: ['dan', 'eve'].flatMap(person), threshold: 2 };
    forge.publishRoot({ by: signers.flatMap(person) });
    expect(codeFor(await device(forge).update())).toBe('integrity/custodians-missing');
  });

  test.each([1, 3])('refuses version %i after version 1 (§5.3.5)', async (version) => {
    const forge = hybridForge();
    forge.publishRoot({ version });
    expect(codeFor(await device(forge).update())).toBe('integrity/metadata-rollback');
  });

  test('an expired one in between does not matter, an expired last one does, and is kept (§5.3.6, §5.3.10)', async () => {
    const forge = hybridForge();
    const { update, kept } = device(forge);
    forge.expiresMs = startMs;
    forge.publishRoot();
    expect(codeFor(await update())).toBe('policy/metadata-expired');
    expect(kept.has('root/2')).toBe(true);
    forge.expiresMs = startMs + 1000;
    forge.publishRoot();
    expect(unwrap(await update()).root.version).toBe(3);
  });

  test('row 25: so many roots at once stop the update; the next one goes on from there', async () => {
    const forge = hybridForge();
    const { update } = device(forge);
    for (let count = 0; count <= maxRootsPerRefresh; count++) forge.publishRoot();
    expect(codeFor(await update())).toBe('resource/count-limit');
    expect(unwrap(await update()).root.version).toBe(maxRootsPerRefresh + 2);
  });

  test('row 25: an endless root, and one of its own length limit, is not read', async () => {
    const forge = hybridForge();
    forge.publishRoot({ after: () => new Uint8Array(metadataBytes.root + 1) });
    expect(codeFor(await device(forge).update())).toBe('protocol/too-large');
    const careless: Fetch = async (name) => ({ ok: true, value: forge.files.get(name) ?? new Uint8Array() });
    expect(codeFor(await device(forge).update(now, { fetch: careless }))).toBe('protocol/too-large');
  });

  test('SR-09: the root in the image is the least; an older kept one is not looked at, a forged one is not believed', async () => {
    const forge = hybridForge();
    forge.publishRoot();
    forge.publishRoot();
    const { kept, update } = device(forge);
    kept.set('root/2', utf8('{}'));
    expect(unwrap(await update()).root.version).toBe(3);
    forge.asked.length = 0;
    const pinnedRoot = forge.files.get('3.root.json') ?? new Uint8Array();
    expect(unwrap(await update(now, { pinnedRoot })).root.version).toBe(3);
    expect(forge.asked[0]).toBe('4.root.json');
  });

  test('the root in the image must be signed as it says itself', async () => {
    const forge = hybridForge();
    const pinnedRoot = forge.latest('root').slice();
    const text = new TextDecoder().decode(pinnedRoot);
    expect(codeFor(await device(forge).update(now, { pinnedRoot: utf8(text.replace('"version":1', '"version":7')) }))).toBe(
      'integrity/signature-invalid',
    );
    expect(codeFor(await device(forge).update(now, { pinnedRoot: utf8('') }))).toBe('protocol/malformed');
  });
});

describe('timestamp (§5.4)', () => {
  test('row 21: refuses a lower version, and a lower version of the snapshot in it', async () => {
    const forge = hybridForge();
    const { update } = device(forge);
    forge.publish();
    unwrap(await update());
    forge.versions.set('timestamp', 0);
    forge.publishTimestamp();
    expect(codeFor(await update())).toBe('integrity/metadata-rollback');
    forge.versions.set('timestamp', 2);
    forge.versions.set('snapshot', 1);
    forge.publishTimestamp();
    expect(codeFor(await update())).toBe('integrity/metadata-rollback');
  });

  test('an equal version is no news: what was trusted stays (§5.4.3.1)', async () => {
    const forge = hybridForge();
    const { update, kept } = device(forge);
    unwrap(await update());
    const trusted = kept.get('timestamp.json');
    forge.versions.set('timestamp', 0);
    forge.publishTimestamp({ edit: (signed) => Object.assign(signed, { 'x-other': 1 }) });
    unwrap(await update());
    expect(kept.get('timestamp.json')).toEqual(trusted);
  });

  test('row 22: refuses an expired one; expiry must lie after the start, not at it (§5.4.4)', async () => {
    const forge = hybridForge();
    forge.expiresMs = startMs;
    forge.publish();
    const { update, kept } = device(forge);
    expect(codeFor(await update())).toBe('policy/metadata-expired');
    expect(kept.has('timestamp.json')).toBe(false);
    expect(codeFor(await update(at(startMs - 1)))).toBe('ok');
  });

  test('row 19: an expired one that is kept still bounds versions', async () => {
    const forge = hybridForge();
    const { update } = device(forge);
    forge.publish();
    unwrap(await update());
    forge.expiresMs = startMs + 3 * dayMs;
    forge.publishRoot();
    forge.versions.set('timestamp', 0);
    forge.publishTimestamp();
    expect(codeFor(await update(at(startMs + 2 * dayMs)))).toBe('integrity/metadata-rollback');
  });

  test('row 24: a rotation of its keys recovers from a fast-forward (§5.3.11)', async () => {
    const forge = hybridForge();
    const { update } = device(forge);
    forge.versions.set('timestamp', Number.MAX_SAFE_INTEGER - 2);
    forge.publishTimestamp();
    unwrap(await update());
    forge.versions.set('timestamp', 1);
    forge.publishTimestamp();
    expect(codeFor(await update())).toBe('integrity/metadata-rollback');
    forge.top.timestamp = { keys: person('ci-2'), threshold: 1 };
    forge.publishRoot();
    forge.publishTimestamp();
    expect(codeFor(await update())).toBe('ok');
  });

  test('row 33: refuses one that is longer than its limit', async () => {
    const forge = hybridForge();
    forge.publishTimestamp({ after: (bytes) => Buffer.concat([bytes, Buffer.alloc(metadataBytes.timestamp, ' ')]) });
    expect(codeFor(await device(forge).update())).toBe('protocol/too-large');
  });
});

describe('snapshot (§5.5)', () => {
  test('row 21: refuses one that is not the file that the timestamp names', async () => {
    const forge = hybridForge();
    const first = forge.latest('snapshot');
    forge.publish();
    forge.files.set('2.snapshot.json', first);
    expect(storyOf(await device(forge).update())).toMatch(/^integrity\/metadata-mismatch: snapshot: (length|hash)/);
  });

  test('refuses another version than the timestamp names, where the timestamp gives no hash (§5.5.4)', async () => {
    const forge = hybridForge();
    forge.hashed = false;
    const first = forge.latest('snapshot');
    forge.publish();
    forge.files.set('2.snapshot.json', first);
    expect(storyOf(await device(forge).update())).toBe('integrity/metadata-mismatch: snapshot: version');
  });

  test('row 21: refuses a file that went back, and one that went away (§5.5.5)', async () => {
    const forge = hybridForge();
    const { update } = device(forge);
    forge.publish();
    unwrap(await update());
    forge.versions.set('targets', 1);
    forge.publishSnapshot();
    forge.publishTimestamp();
    expect(storyOf(await update())).toBe('integrity/metadata-rollback: snapshot: targets.json');
    forge.versions.set('targets', 2);
    forge.publishSnapshot({ edit: (signed) => Object.assign(signed, { meta: { 'other.json': { version: 9 } } }) });
    forge.publishTimestamp();
    expect(codeFor(await update())).toBe('integrity/metadata-rollback');
  });

  test('row 24: a rotation of its keys recovers the versions of targets', async () => {
    const forge = hybridForge();
    const { update } = device(forge);
    forge.versions.set('targets', 500);
    forge.publish();
    unwrap(await update());
    forge.versions.set('targets', 1);
    forge.publish();
    expect(codeFor(await update())).toBe('integrity/metadata-rollback');
    forge.top.snapshot = { keys: person('ci-2'), threshold: 1 };
    forge.publishRoot();
    forge.publishSnapshot();
    forge.publishTimestamp();
    expect(codeFor(await update())).toBe('ok');
  });

  test('row 22: refuses an expired one (§5.5.6)', async () => {
    const forge = hybridForge();
    forge.publishSnapshot({ edit: (signed) => Object.assign(signed, { expires: '2020-01-01T00:00:00Z' }) });
    forge.publishTimestamp();
    expect(storyOf(await device(forge).update())).toBe('policy/metadata-expired: snapshot');
  });
});

describe('targets (§5.6)', () => {
  test('refuses one that the snapshot does not name, or names with another hash or version', async () => {
    const forge = hybridForge();
    forge.publishSnapshot({ edit: (signed) => Object.assign(signed, { meta: {} }) });
    forge.publishTimestamp();
    expect(storyOf(await device(forge).update())).toBe('integrity/metadata-mismatch: targets: not in the snapshot');
    forge.publish();
    forge.files.set('2.targets.json', forge.files.get('1.targets.json') ?? new Uint8Array());
    expect(storyOf(await device(forge).update())).toMatch(/^integrity\/metadata-mismatch: targets: (length|hash)/);
    forge.hashed = false;
    forge.publishSnapshot();
    forge.publishTimestamp();
    expect(storyOf(await device(forge).update())).toBe('integrity/metadata-mismatch: targets: version');
  });

  test('row 22: refuses an expired one', async () => {
    const forge = hybridForge();
    forge.publishTargets('targets', { edit: (signed) => Object.assign(signed, { expires: '2020-01-01T00:00:00Z' }) });
    forge.publishSnapshot();
    forge.publishTimestamp();
    expect(storyOf(await device(forge).update())).toBe('policy/metadata-expired: targets');
  });
});

describe('time (SR-16)', () => {
  test('row 23: a clock that is lost, or far behind the floor, is no time to judge by; one that drifts is', async () => {
    const { update } = device(hybridForge());
    expect(codeFor(await update(at(undefined, startMs)))).toBe('posture/time-unknown');
    expect(codeFor(await update(at(0, startMs)))).toBe('posture/time-unknown');
    expect(codeFor(await update(at(startMs - 60_000, startMs)))).toBe('ok');
  });

  test('row 23: a clock far ahead refuses, and locks nothing: the next update with the right time succeeds', async () => {
    const { update } = device(hybridForge());
    expect(codeFor(await update(at(Date.UTC(2099, 0, 1))))).toBe('policy/metadata-expired');
    expect(codeFor(await update())).toBe('ok');
  });

  test('row 22: what expired before the floor has expired, whatever the clock says', async () => {
    const { update } = device(hybridForge());
    const floorMs = startMs + dayMs + 30_000;
    expect(codeFor(await update(at(floorMs - 60_000)))).toBe('ok');
    expect(codeFor(await update(at(floorMs - 60_000, floorMs)))).toBe('policy/metadata-expired');
  });
});

describe('SR-12: a refresh for repair', () => {
  const repair = (trust: Trust, floorMs = startMs) => refreshForRepair(trust, floorMs, never);

  test('needs no clock, and takes online roles that have expired and versions that were passed', async () => {
    const forge = hybridForge();
    const { update, trust } = device(forge);
    const stick = new Map(forge.files);
    forge.publish();
    unwrap(await update());
    const fetch = forgeFetch({ files: stick, asked: [] });
    expect(codeFor(await update(now, { fetch }))).toBe('integrity/metadata-rollback');
    expect(codeFor(await repair({ ...trust, fetch }))).toBe('ok');
    expect(codeFor(await update(at(startMs + dayMs)))).toBe('policy/metadata-expired');
    const late = hybridForge();
    late.expiresMs = startMs + 30 * dayMs;
    late.publishRoot();
    late.publishTargets();
    late.expiresMs = startMs;
    late.publishSnapshot();
    late.publishTimestamp();
    expect(codeFor(await repair(trustIn(late), startMs + dayMs))).toBe('ok');
  });

  test('holds the expiry of offline roles against the floor', async () => {
    const { trust } = device(hybridForge());
    expect(codeFor(await repair(trust, startMs + dayMs - 1))).toBe('ok');
    expect(codeFor(await repair(trust, startMs + dayMs))).toBe('policy/metadata-expired');
  });

  test('holds the custodian rule, and remembers nothing but roots', async () => {
    const forge = hybridForge();
    forge.publishRoot();
    const { trust, kept } = device(forge);
    expect(codeFor(await repair(trust))).toBe('ok');
    expect([...kept.keys()]).toEqual(['root/2']);
    forge.publishTimestamp({ by: person('ci').slice(0, 1) });
    expect(codeFor(await repair(trust))).toBe('integrity/signature-missing');
  });
});
