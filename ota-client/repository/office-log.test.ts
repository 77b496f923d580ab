import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { codeFor } from '#ota-client/trust/forge.fixture';
import { readLog } from './office-log.ts';
import { reportFailure, reviewRelease, revokeRelease } from './publisher.ts';
import { drafted, id, rolling, type Site, stateOf } from './repository.fixture.ts';

describe('the office log', () => {
  test('says who did what, in order', async () => {
    const here = await rolling(10);
    unwrap(reportFailure(here.desk, id, 'handle-1'));
    unwrap(reportFailure(here.desk, id, 'handle-2'));
    unwrap(revokeRelease(here.desk, id, 'pat', true));
    const told = unwrap(readLog(nodeCrypto, here.desk.store)).map(({ by, did, detail }) => [by, did, detail]);
    expect(told).toEqual([
      ['ada', 'add', 'os'],
      ['bea', 'review', ''],
      ['os-keeper', 'sign', ''],
      ['ci', 'stage', ''],
      ['pat', 'roll', '10 of 1000'],
      ['handle-1', 'report', ''],
      ['handle-2', 'report', ''],
      ['the desk, after 2 failures', 'halt', ''],
      ['pat', 'revoke', 'with its floor'],
    ]);
  });

  test('says nothing of what was refused', async () => {
    const here = await drafted();
    expect(codeFor(reviewRelease(here.desk, id, 'ada'))).toBe('policy/review-missing');
    expect(unwrap(readLog(nodeCrypto, here.desk.store))).toHaveLength(1);
  });

  test.each([
    ['a changed name', 'office-log/2', (text: string) => text.replace('bea', 'eve')],
    ['a changed time', 'office-log/1', (text: string) => text.replace(/"atMs":(\d)/, '"atMs":9$1')],
    ['a record that is gone', 'office-log/2', () => ''],
    ['a head that points elsewhere', 'office-log', (text: string) => text.replace(/"sequence":\d+/, '"sequence":1')],
  ])('is found out with %s', async (_, key, change) => {
    const here = await rolling(10);
    const { store } = here.desk;
    const before = unwrap(store.get(key)) ?? new Uint8Array();
    unwrap(store.put(key, utf8(change(Buffer.from(before).toString('utf8')))));
    expect(codeFor(readLog(nodeCrypto, store))).toBe('integrity/office-log-tampered');
  });

  test('is written before what it tells of', async () => {
    const here = await drafted();
    const full: Site['desk'] = {
      ...here.desk,
      store: { ...here.desk.store, put: () => ({ ok: false, fault: { category: 'unavailable', reason: 'storage-failed' } }) },
    };
    expect(codeFor(reviewRelease(full, id, 'bea'))).toBe('unavailable/storage-failed');
    expect(stateOf(here)).toBe('draft');
  });
});
