import { describe, expect, test } from 'vitest';
import { type Result, unwrap } from '#hal/core/result';
import { diagram, step } from '#hal/core/table';
import { nodeCrypto } from '#hal/crypto/node';
import { eligibleBundle, findBundle } from '#ota-client/trust/bundle';
import { codeFor } from '#ota-client/trust/forge.fixture';
import { targetFileName } from '#ota-client/trust/target-file';
import { targetEntry } from './compose.ts';
import { metadataPath } from './files.ts';
import { publishRoles, publishRoot, signClass, signDelegations } from './publish.ts';
import {
  completeRelease,
  draftRelease,
  haltRelease,
  offers,
  reportFailure,
  reviewRelease,
  rollRelease,
  signRelease,
  stageRelease,
} from './publisher.ts';
import { allReleases, maxFailedDevices } from './release-record.ts';
import { type ReleaseEvent, type ReleaseState, releases } from './release-table.ts';
import {
  ci,
  custodian,
  drafted,
  id,
  image,
  keepers,
  offline,
  osEntry,
  rolling,
  type Site,
  site,
  stateOf,
} from './repository.fixture.ts';

describe('the table of releases', () => {
  const states = Object.keys(releases) as ReleaseState[];
  const events: readonly ReleaseEvent[] = ['review', 'sign', 'stage', 'roll', 'halt', 'complete', 'revoke', 'withdraw'];

  test('every state takes exactly these events', () => {
    const taken = Object.fromEntries(
      states.map((state) => [state, events.filter((event) => step(releases, state, event).ok).join(' ')]),
    );
    expect(taken).toEqual({
      draft: 'review revoke',
      reviewed: 'sign revoke',
      signed: 'review stage revoke',
      staged: 'roll revoke',
      rolling: 'roll halt complete revoke',
      halted: 'review revoke',
      complete: 'halt revoke',
      revoked: 'sign stage withdraw',
      withdrawn: '',
    });
  });

  test('a release that was halted is offered again only after it was reviewed, signed and staged', () => {
    expect(diagram(releases)).not.toMatch(/halted --> (?!reviewed|revoked)/);
  });
});

describe('a release', () => {
  test('goes from draft to complete, and a device finds it', async () => {
    const here = await drafted();
    expect(unwrap(reviewRelease(here.desk, id, 'bea')).state).toBe('reviewed');
    expect(unwrap(await signRelease(here.desk, id, keepers('os'))).state).toBe('signed');
    expect(codeFor(await findBundle(unwrap(await here.openImage()), 'os', `os/${id}`))).toBe('policy/target-missing');
    expect(unwrap(await stageRelease(here.desk, id, ci)).state).toBe('staged');
    const repository = unwrap(await here.openImage());
    const bundle = unwrap(await findBundle(repository, 'os', `os/${id}`));
    expect(bundle.release).toMatchObject({ releaseCounter: 2, hw: ['board-1'] });
    expect(here.kept.get(`targets/${targetFileName(repository, bundle.target)}`)).toEqual(image);
    expect(unwrap(offers(here.desk))).toEqual([]);
    expect(unwrap(await rollRelease(here.desk, id, 10, 'pat')).permille).toBe(10);
    expect(unwrap(await rollRelease(here.desk, id, 500, 'pat')).permille).toBe(500);
    expect(unwrap(await completeRelease(here.desk, id, 'pat'))).toMatchObject({ state: 'complete', permille: 1000 });
    expect(unwrap(offers(here.desk))).toMatchObject([{ releaseId: id, permille: 1000 }]);
  });

  test('is reviewed by somebody else than its author', async () => {
    const { desk } = await drafted();
    expect(codeFor(reviewRelease(desk, id, 'ada'))).toBe('policy/review-missing');
    expect(codeFor(reviewRelease(desk, id, 'bea'))).toBe('ok');
  });

  test('is drafted once, with files of its class', async () => {
    const { desk } = await drafted();
    expect(codeFor(draftRelease(desk, { id, class: 'os', author: 'ada', custom: { releaseCounter: 9 }, entries: [] }))).toBe(
      'protocol/event-refused',
    );
    expect(
      codeFor(
        draftRelease(desk, {
          id: 'other',
          class: 'policy',
          author: 'ada',
          custom: { releaseCounter: 1 },
          entries: [osEntry('x')],
        }),
      ),
    ).toBe('integrity/role-mismatch');
    expect(
      codeFor(draftRelease(desk, { id: 'Not an id', class: 'os', author: 'ada', custom: { releaseCounter: 9 }, entries: [] })),
    ).toBe('protocol/field-invalid');
    expect(codeFor(reviewRelease(desk, 'unknown', 'bea'))).toBe('unavailable/not-found');
  });

  test('cannot skip a step', async () => {
    const { desk } = await drafted();
    expect(codeFor(await signRelease(desk, id, keepers('os')))).toBe('protocol/event-refused');
    expect(codeFor(await stageRelease(desk, id, ci))).toBe('protocol/event-refused');
    expect(codeFor(await rollRelease(desk, id, 1, 'pat'))).toBe('protocol/event-refused');
    expect(codeFor(await completeRelease(desk, id, 'pat'))).toBe('protocol/event-refused');
    expect(codeFor(haltRelease(desk, id, 'pat'))).toBe('protocol/event-refused');
  });

  test('is signed by the keepers of its class, published by those of snapshot and timestamp', async () => {
    const { desk } = await drafted();
    unwrap(reviewRelease(desk, id, 'bea'));
    expect(codeFor(await signRelease(desk, id, keepers('policy')))).toBe('integrity/custodians-missing');
    expect(codeFor(await signRelease(desk, id, [...offline, ...ci]))).toBe('integrity/custodians-missing');
    unwrap(await signRelease(desk, id, keepers('os')));
    expect(codeFor(await stageRelease(desk, id, keepers('os')))).toBe('integrity/custodians-missing');
    expect(codeFor(await stageRelease(desk, id, ci))).toBe('ok');
  });

  test('SR-13: is neither staged nor offered, nor offered to more, while its reference values are not live', async () => {
    const here = await drafted();
    unwrap(reviewRelease(here.desk, id, 'bea'));
    unwrap(await signRelease(here.desk, id, keepers('os')));
    here.live.delete(id);
    expect(codeFor(await stageRelease(here.desk, id, ci))).toBe('policy/references-missing');
    expect(stateOf(here)).toBe('signed');
    here.live.add(id);
    unwrap(await stageRelease(here.desk, id, ci));
    here.live.delete(id);
    expect(codeFor(await rollRelease(here.desk, id, 1000, 'pat'))).toBe('policy/references-missing');
    expect(stateOf(here)).toBe('staged');
    here.live.add(id);
    unwrap(await rollRelease(here.desk, id, 1, 'pat'));
    here.live.delete(id);
    expect(codeFor(await completeRelease(here.desk, id, 'pat'))).toBe('policy/references-missing');
    expect(unwrap(offers(here.desk))).toMatchObject([{ permille: 1 }]);
  });

  test('is not staged before its files are in place', async () => {
    const here = await drafted();
    unwrap(reviewRelease(here.desk, id, 'bea'));
    unwrap(await signRelease(here.desk, id, keepers('os')));
    for (const path of here.kept.keys()) if (path.startsWith('targets/')) here.kept.delete(path);
    expect(codeFor(await stageRelease(here.desk, id, ci))).toBe('integrity/target-mismatch');
  });

  test('is signed again where another release of its class was published in between', async () => {
    const here = await drafted();
    const other = osEntry('other', { releaseCounter: 3 });
    here.upload(other);
    here.live.add('other');
    unwrap(draftRelease(here.desk, { id: 'other', class: 'os', author: 'ada', custom: other.custom, entries: [other] }));
    for (const release of [id, 'other']) {
      unwrap(reviewRelease(here.desk, release, 'bea'));
      unwrap(await signRelease(here.desk, release, keepers('os')));
    }
    unwrap(await stageRelease(here.desk, 'other', ci));
    expect(codeFor(await stageRelease(here.desk, id, ci))).toBe('integrity/metadata-rollback');
    unwrap(reviewRelease(here.desk, id, 'bea'));
    unwrap(await signRelease(here.desk, id, keepers('os')));
    unwrap(await stageRelease(here.desk, id, ci));
    const repository = unwrap(await here.openImage());
    for (const name of [id, 'other']) expect(codeFor(await findBundle(repository, 'os', `os/${name}`))).toBe('ok');
  });
});

describe('a cut of power', () => {
  test('between publishing and the record is made good by the same call again', async () => {
    const here = await drafted();
    unwrap(reviewRelease(here.desk, id, 'bea'));
    unwrap(await signRelease(here.desk, id, keepers('os')));
    const { put } = here.desk.store;
    const cut: Site['desk'] = {
      ...here.desk,
      store: { ...here.desk.store, put: () => ({ ok: false, fault: { category: 'unavailable', reason: 'storage-failed' } }) },
    };
    expect(codeFor(await stageRelease(cut, id, ci))).toBe('unavailable/storage-failed');
    expect(stateOf(here)).toBe('signed');
    expect(unwrap(await stageRelease({ ...here.desk, store: { ...here.desk.store, put } }, id, ci)).state).toBe('staged');
    expect(codeFor(await findBundle(unwrap(await here.openImage()), 'os', `os/${id}`))).toBe('ok');
  });
});

describe('a cut of power within the record of a new draft', () => {
  test.each(['release/new', 'releases'])('at %s leaves the office open, and the same draft can be made again', async (at) => {
    const { desk } = await drafted();
    let left = 1;
    const put: Site['desk']['store']['put'] = (key, bytes) =>
      key === at && left-- > 0
        ? { ok: false, fault: { category: 'unavailable', reason: 'storage-failed' } }
        : desk.store.put(key, bytes);
    const cut = { ...desk, store: { get: desk.store.get.bind(desk.store), put } };
    const draft = { id: 'new', class: 'os', author: 'ada', custom: { releaseCounter: 3 }, entries: [] } as const;
    expect(codeFor(draftRelease(cut, draft))).toBe('unavailable/storage-failed');
    expect(unwrap(allReleases(desk.store)).map((release) => release.id)).toEqual([id]);
    expect(codeFor(draftRelease(cut, draft))).toBe('ok');
    expect(codeFor(draftRelease(cut, draft))).toBe('protocol/event-refused');
    expect(unwrap(allReleases(desk.store)).map((release) => release.id)).toEqual([id, 'new']);
  });
});

describe('a rollout', () => {
  test('halts when it failed on so many devices, each counted once', async () => {
    const here = await rolling(10);
    expect(unwrap(reportFailure(here.desk, id, 'handle-1')).state).toBe('rolling');
    expect(unwrap(reportFailure(here.desk, id, 'handle-1')).state).toBe('rolling');
    expect(unwrap(reportFailure(here.desk, id, 'handle-2'))).toMatchObject({ state: 'halted', permille: 0 });
    expect(unwrap(offers(here.desk))).toEqual([]);
    expect(codeFor(await rollRelease(here.desk, id, 1000, 'pat'))).toBe('protocol/event-refused');
    expect(unwrap(reportFailure(here.desk, id, 'handle-3')).failedOn).toHaveLength(2);
  });

  test('cut between the last failure and the halt, halts when that device reports again', async () => {
    const { desk } = await rolling(10);
    unwrap(reportFailure(desk, id, 'handle-1'));
    let left = 1;
    const put: Site['desk']['store']['put'] = (key, bytes) =>
      key === `release/${id}` && left-- === 0
        ? { ok: false, fault: { category: 'unavailable', reason: 'storage-failed' } }
        : desk.store.put(key, bytes);
    const cut = { ...desk, store: { get: desk.store.get.bind(desk.store), put } };
    expect(codeFor(reportFailure(cut, id, 'handle-2'))).toBe('unavailable/storage-failed');
    expect(unwrap(offers(desk))).toHaveLength(1);
    expect(unwrap(reportFailure(desk, id, 'handle-2'))).toMatchObject({ state: 'halted', failedOn: ['handle-1', 'handle-2'] });
    expect(unwrap(offers(desk))).toEqual([]);
  });

  test('that failed on as many devices as are counted halts, whatever its threshold', async () => {
    const here = await rolling();
    const desk = { ...here.desk, haltAfterFailures: maxFailedDevices };
    for (let device = 1; device < maxFailedDevices; device += 1) unwrap(reportFailure(desk, id, `handle-${device}`));
    expect(stateOf(here)).toBe('rolling');
    expect(unwrap(reportFailure(desk, id, 'the last')).state).toBe('halted');
  });

  test('a halted release is withdrawn with the next signing, and goes round again by review', async () => {
    const here = await rolling();
    unwrap(haltRelease(here.desk, id, 'pat'));
    const next = osEntry('next', { releaseCounter: 3 });
    here.upload(next);
    here.live.add('next');
    unwrap(draftRelease(here.desk, { id: 'next', class: 'os', author: 'ada', custom: next.custom, entries: [next] }));
    unwrap(reviewRelease(here.desk, 'next', 'bea'));
    unwrap(await signRelease(here.desk, 'next', keepers('os')));
    unwrap(await stageRelease(here.desk, 'next', ci));
    const repository = unwrap(await here.openImage());
    expect(codeFor(await findBundle(repository, 'os', `os/${id}`))).toBe('policy/target-missing');
    expect(unwrap(reviewRelease(here.desk, id, 'bea'))).toMatchObject({ state: 'reviewed', failedOn: [] });
  });
});

describe('the image repository', () => {
  const policy = (releaseCounter: number) => targetEntry(nodeCrypto, 'policy/current', image, { releaseCounter });

  test('publishes every class with its own keys', async () => {
    const here = await site();
    for (const counter of [1, 2]) {
      const signed = unwrap(await signClass(here.repository, 'policy', [policy(counter)], keepers('policy'), here.clock.nowMs()));
      unwrap(await publishRoles(here.repository, [signed], ci, here.clock.nowMs()));
    }
    const installed = { hardwareId: 'board-1', releaseCounter: 1, floorEpoch: 0 };
    expect(codeFor(await eligibleBundle(unwrap(await here.openImage()), 'policy', 'policy/current', installed))).toBe('ok');
  });

  test('renews snapshot and timestamp alone, and a device that slept finds it fresh', async () => {
    const here = await site();
    unwrap(await here.openImage());
    await here.clock.advance(2 * 24 * 3_600_000);
    expect(codeFor(await here.openImage())).toBe('policy/metadata-expired');
    unwrap(await publishRoles(here.repository, [], ci, here.clock.nowMs()));
    expect(codeFor(await here.openImage())).toBe('ok');
  });

  test('rotates its keys by a root that old and new custodians signed', async () => {
    const here = await site();
    unwrap(await here.openImage());
    const dan = custodian('dan');
    const next = { ...here.repository.top, root: { custodians: [...offline.slice(1), dan], threshold: 2 } };
    for (const signers of [[dan], [custodian('bea'), dan], [custodian('ada'), custodian('bea')]])
      expect(codeFor(await publishRoot(here.repository, next, signers, here.clock.nowMs()))).toBe('integrity/custodians-missing');
    unwrap(await publishRoot(here.repository, next, [...offline.slice(1), dan], here.clock.nowMs()));
    expect(unwrap(await here.openImage()).root.version).toBe(2);
    const alone = { ...here.repository, top: next };
    unwrap(await publishRoot(alone, next, [custodian('bea'), dan], here.clock.nowMs()));
    expect(unwrap(await here.openImage()).root.version).toBe(3);
  });

  test('replaces the keys of one class without touching the others', async () => {
    const here = await site();
    unwrap(await here.openImage());
    const eve = custodian('eve');
    const next = { ...here.repository, classes: { ...here.repository.classes, policy: { custodians: [eve], threshold: 1 } } };
    const nowMs = here.clock.nowMs();
    const roles = [
      unwrap(await signDelegations(next, offline, nowMs)),
      unwrap(await signClass(next, 'policy', [policy(7)], [eve], nowMs)),
    ];
    unwrap(await publishRoles(next, roles, ci, nowMs));
    const repository = unwrap(await here.openImage());
    expect(unwrap(await findBundle(repository, 'policy', 'policy/current')).release.releaseCounter).toBe(7);
    expect(codeFor(await signClass(next, 'policy', [], keepers('policy'), nowMs))).toBe('integrity/custodians-missing');
  });

  test('cut after any file that it writes, a device sees the old state or the new one', async () => {
    const whole = await site();
    const signed = unwrap(await signClass(whole.repository, 'policy', [policy(1)], keepers('policy'), whole.clock.nowMs()));
    for (let writes = 0; writes <= 3; writes++) {
      const here = await site();
      let left = writes;
      const files = {
        ...here.files,
        put: async (path: string, bytes: Uint8Array): Promise<Result<void>> =>
          left-- > 0 ? here.files.put(path, bytes) : { ok: false, fault: { category: 'unavailable', reason: 'storage-failed' } },
      };
      expect((await publishRoles({ ...here.repository, files }, [signed], ci, here.clock.nowMs())).ok).toBe(writes === 3);
      const found = codeFor(await findBundle(unwrap(await here.openImage()), 'policy', 'policy/current'));
      expect(found).toBe(writes === 3 ? 'ok' : 'policy/target-missing');
      expect(codeFor(await publishRoles(here.repository, writes === 3 ? [] : [signed], ci, here.clock.nowMs()))).toBe('ok');
      expect(codeFor(await findBundle(unwrap(await here.openImage()), 'policy', 'policy/current'))).toBe('ok');
    }
  });

  test('a signer that refuses stops the publishing', async () => {
    const here = await site();
    const refusing = {
      ...custodian('ci'),
      sign: async () => ({ ok: false, fault: { category: 'unavailable', reason: 'aborted' } }) as const,
    };
    expect(codeFor(await publishRoles(here.repository, [], [refusing], here.clock.nowMs()))).toBe('unavailable/aborted');
    expect(here.kept.has(metadataPath('2.snapshot.json'))).toBe(false);
  });
});
