import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { findBundle } from '#ota-client/trust/bundle';
import { codeFor } from '#ota-client/trust/forge.fixture';
import type { JsonObject } from '#ota-client/trust/json';
import { draftRelease, offers, reviewRelease, revokeRelease, rollRelease, signRelease, stageRelease } from './publisher.ts';
import { ci, drafted, id, keepers, osEntry, rolling, type Site, site, stateOf } from './repository.fixture.ts';

describe('a revoked release', () => {
  /** Drafted after it, and reviewed. */
  const successor = (here: Site, custom: JsonObject) => {
    const entry = osEntry('next', custom);
    here.upload(entry);
    here.live.add('next');
    const drafted = draftRelease(here.desk, { id: 'next', class: 'os', author: 'ada', custom: entry.custom, entries: [entry] });
    return drafted.ok ? reviewRelease(here.desk, 'next', 'bea') : drafted;
  };

  test('is offered no more at once, and leaves the list by one that is signed for that alone', async () => {
    const here = await rolling();
    expect(unwrap(revokeRelease(here.desk, id, 'pat', false))).toMatchObject({ state: 'revoked', permille: 0 });
    expect(unwrap(offers(here.desk))).toEqual([]);
    expect(codeFor(await findBundle(unwrap(await here.openImage()), 'os', `os/${id}`))).toBe('ok');
    unwrap(await signRelease(here.desk, id, keepers('os')));
    expect(unwrap(await stageRelease(here.desk, id, ci)).state).toBe('withdrawn');
    expect(codeFor(await findBundle(unwrap(await here.openImage()), 'os', `os/${id}`))).toBe('policy/target-missing');
  });

  test('leaves the list with the next release as well', async () => {
    const here = await rolling();
    unwrap(revokeRelease(here.desk, id, 'pat', false));
    unwrap(successor(here, { releaseCounter: 3 }));
    unwrap(await signRelease(here.desk, 'next', keepers('os')));
    unwrap(await stageRelease(here.desk, 'next', ci));
    expect(stateOf(here)).toBe('withdrawn');
    expect(codeFor(await findBundle(unwrap(await here.openImage()), 'os', `os/${id}`))).toBe('policy/target-missing');
  });

  test('SR-08: with its floor, nothing for its hardware stands on that floor any more', async () => {
    const here = await rolling();
    unwrap(revokeRelease(here.desk, id, 'pat', true));
    expect(codeFor(successor(here, { releaseCounter: 3, floorEpoch: 0 }))).toBe('integrity/below-floor');
    expect(codeFor(successor(here, { releaseCounter: 3, floorEpoch: 1 }))).toBe('ok');
  });

  test('SR-08: with its floor, what else stands there is offered no more', async () => {
    const here = await rolling();
    unwrap(successor(here, { releaseCounter: 3, floorEpoch: 0 }));
    unwrap(await signRelease(here.desk, 'next', keepers('os')));
    unwrap(await stageRelease(here.desk, 'next', ci));
    unwrap(await rollRelease(here.desk, 'next', 1000, 'pat'));
    expect(unwrap(offers(here.desk)).map(({ releaseId }) => releaseId)).toEqual([id, 'next']);
    unwrap(revokeRelease(here.desk, 'next', 'pat', true));
    expect(unwrap(offers(here.desk))).toEqual([]);
  });

  test('SR-08: also what was drafted before is not signed on its floor', async () => {
    const here = await rolling();
    unwrap(successor(here, { releaseCounter: 3, floorEpoch: 0 }));
    unwrap(revokeRelease(here.desk, id, 'pat', true));
    expect(codeFor(await signRelease(here.desk, 'next', keepers('os')))).toBe('integrity/below-floor');
  });

  test('SR-08: nor is what was signed before staged on its floor', async () => {
    const here = await rolling();
    unwrap(successor(here, { releaseCounter: 3, floorEpoch: 0 }));
    unwrap(await signRelease(here.desk, 'next', keepers('os')));
    unwrap(revokeRelease(here.desk, id, 'pat', true));
    expect(codeFor(await stageRelease(here.desk, 'next', ci))).toBe('integrity/below-floor');
  });

  test('goes nowhere else', async () => {
    const here = await rolling();
    unwrap(revokeRelease(here.desk, id, 'pat', false));
    expect(codeFor(reviewRelease(here.desk, id, 'bea'))).toBe('protocol/event-refused');
    expect(codeFor(await rollRelease(here.desk, id, 1, 'pat'))).toBe('protocol/event-refused');
    expect(codeFor(revokeRelease(here.desk, id, 'pat', true))).toBe('protocol/event-refused');
  });
});

describe('SR-08: counters', () => {
  const draft = (here: Site, name: string, custom: JsonObject) => {
    const entry = osEntry(name, custom);
    return codeFor(draftRelease(here.desk, { id: name, class: 'os', author: 'ada', custom: entry.custom, entries: [entry] }));
  };

  test('rise for the same hardware, and only there', async () => {
    const here = await drafted();
    expect(draft(here, 'same', { releaseCounter: 2 })).toBe('integrity/release-rollback');
    expect(draft(here, 'lower', { releaseCounter: 1 })).toBe('integrity/release-rollback');
    expect(draft(here, 'elsewhere', { releaseCounter: 1, hw: ['board-2'] })).toBe('ok');
    expect(draft(here, 'everywhere', { releaseCounter: 2, hw: ['board-1', 'board-2'] })).toBe('integrity/release-rollback');
    expect(draft(here, 'higher', { releaseCounter: 3 })).toBe('ok');
  });

  test('are there', async () => {
    const here = await site();
    const nothing = { id: 'x', class: 'os', author: 'ada', entries: [] } as const;
    expect(codeFor(draftRelease(here.desk, { ...nothing, custom: {} }))).toBe('protocol/field-invalid');
  });
});
