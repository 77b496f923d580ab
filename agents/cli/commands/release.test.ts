import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readManifest } from '#agents/update/manifest';
import { deny, ok, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxClock } from '#hal/linux/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { findBundle } from '#ota-client/trust/bundle';
import { deviceTrust } from '#ota-client/trust/device-trust';
import { refresh } from '#ota-client/trust/refresh';
import { bundleClasses } from '#ota-client/trust/release';
import { targetFileName } from '#ota-client/trust/target-file';
import { type CliOffice, cliOffice } from './release.fixture.ts';

let office: CliOffice;
beforeAll(async () => {
  office = await cliOffice();
});
afterAll(() => office.remove());

const staged = async (id: string, ...words: readonly string[]): Promise<void> => {
  expect((await office.add(id, ...words)).code).toBe('ok');
  expect((await office.review(id, 'bea')).code).toBe('ok');
  expect((await office.signImage(id)).code).toBe('ok');
  expect((await office.stage(id, await office.referencesOf(id))).json).toMatchObject({ state: 'staged' });
};

describe('an office and its drafts', () => {
  test('are made once', async () => {
    expect((await office.release('init', office.at('office'), '--keys', office.at('keys'))).code).toBe('protocol/event-refused');
    const added = await office.add('release-2', '--counter', '2', '--base', office.at('one'));
    expect(added.json).toEqual({ id: 'release-2', class: 'os', state: 'draft' });
    expect((await office.add('release-2', '--counter', '3')).code).toBe('protocol/event-refused');
  });

  test.each([
    [['--counter', '0'], 'protocol/field-invalid'],
    [['--counter', 'two'], 'protocol/field-invalid'],
    [['--counter', '2'], 'integrity/release-rollback'],
    [[], 'protocol/config-invalid'],
    [['--counter', '3', '--floor', '65'], 'protocol/field-invalid'],
    [['--counter', '3', '--class', 'policy'], 'protocol/config-invalid'],
    [['--counter', '3', '--class', 'none'], 'protocol/config-invalid'],
    [['--counter', '3', '--hardware', 'board-2'], 'protocol/config-invalid'],
    [['--counter', '3', '--base', 'nowhere'], 'protocol/file-unreadable'],
  ])('refuses a draft of %j', async (words, expected) => {
    expect((await office.add('release-3', ...words)).code).toBe(expected);
  });

  test.each(['founding', 'reissue', '../out', 'A', ''])('refuses a draft called %j', async (id) => {
    expect((await office.add(id, '--counter', '9')).code).toMatch(/^protocol\//);
  });

  test('an empty image is none', async () => {
    writeFileSync(office.at('empty'), '');
    const words = ['--image', office.at('empty'), '--hardware', 'board-1', '--author', 'ada', '--counter', '9'];
    expect((await office.desk('add', 'release-9', ...words)).code).toBe('protocol/config-invalid');
  });
});

describe('the life of a release', () => {
  test('the author does not review, and nothing is signed before somebody did', async () => {
    expect((await office.signBy('release-2', 'os-first')).code).toBe('protocol/event-refused');
    expect((await office.review('release-2', 'ada')).code).toBe('policy/review-missing');
    expect((await office.review('release-2', 'bea')).json).toMatchObject({ state: 'reviewed', reviewers: ['bea'] });
    expect((await office.review('release-0', 'bea')).code).toBe('unavailable/not-found');
  });

  test('SR-03, SR-09: one custodian is not enough, and one of another class signs nothing', async () => {
    expect((await office.signBy('release-2', 'os-first')).json).toMatchObject({ state: 'reviewed', waitingFor: ['os-second'] });
    expect((await office.signBy('release-2', 'os-first', 'repair-second')).code).toBe('integrity/role-mismatch');
    expect((await office.stage('release-2', 'none')).code).toBe('protocol/event-refused');
  });

  test('an image is signed twice: its statement, then the list of its class', async () => {
    const stated = await office.signBy('release-2', 'os-second', 'os-first');
    expect(stated.json).toMatchObject({ state: 'reviewed', isMoreToSign: true, waitingFor: [] });
    const listed = await office.signBy('release-2', 'os-first', 'os-second');
    expect(listed.json).toMatchObject({ state: 'signed', isMoreToSign: false });
  });

  test('SR-13: it is staged and offered when its references are live, and a device finds it', async () => {
    expect((await office.stage('release-2', 'none')).code).toBe('policy/references-missing');
    const live = await office.referencesOf('release-2');
    expect((await office.stage('release-2', live)).json).toMatchObject({ state: 'staged', permille: 0 });
    const promote = (...words: readonly string[]) =>
      office.desk('promote', 'release-2', '--by', 'pat', '--references', office.at(live), ...words);
    expect((await promote('--permille', '10')).json).toMatchObject({ state: 'rolling', permille: 10 });
    expect((await promote('--permille', '1001')).code).toBe('protocol/field-invalid');
    expect((await promote()).code).toBe('protocol/config-invalid');
    expect((await office.desk('promote', 'release-2', '--by', 'pat', '--permille', '20')).code).toBe('policy/references-missing');
    expect((await promote('--permille', '1000')).json).toMatchObject({ state: 'rolling', permille: 1000 });
    expect((await promote('--complete')).json).toMatchObject({ state: 'complete', permille: 1000 });

    const repository = await asDevice();
    const { target, release: found } = unwrap(await findBundle(repository, 'os', 'os/release-2'));
    expect(found).toMatchObject({ releaseCounter: 2, floorEpoch: 0, hw: ['board-1'] });
    const file = office.at(`office/repository/targets/${targetFileName(repository, target)}`);
    expect(unwrap(readManifest(new Uint8Array(readFileSync(file)))).files.pairs).toHaveLength(1);
  });

  test('two failures halt it by themselves, and it goes on only with a review', async () => {
    const report = (device: string) => office.desk('report', 'release-2', '--device', device);
    expect((await report('aa')).json).toMatchObject({ state: 'complete', failures: 1 });
    expect((await report('aa')).json).toMatchObject({ state: 'complete', failures: 1 });
    expect((await report('bb')).json).toMatchObject({ state: 'halted', permille: 0, failures: 2 });
    expect((await office.desk('promote', 'release-2', '--by', 'pat', '--permille', '1')).code).toBe('protocol/event-refused');
    expect((await office.review('release-2', 'bea')).json).toMatchObject({ state: 'reviewed', failures: 0 });
  });

  test('its statement stays signed when it goes round again', async () => {
    expect((await office.signBy('release-2', 'os-first', 'os-second')).json).toMatchObject({ state: 'signed' });
    expect((await office.stage('release-2', 'release-2.references')).json).toMatchObject({ state: 'staged' });
  });

  test('SR-08: revoked with its floor it leaves the list, and what follows stands higher', async () => {
    const revoked = await office.desk('revoke', 'release-2', '--by', 'pat', '--raise-floor');
    expect(revoked.json).toMatchObject({ state: 'revoked', permille: 0 });
    expect((await office.add('release-4', '--counter', '4')).code).toBe('integrity/below-floor');
    expect((await office.signBy('release-2', 'os-first', 'os-second')).json).toMatchObject({ state: 'revoked' });
    expect((await office.stage('release-2', 'none')).json).toMatchObject({ state: 'withdrawn' });
    const gone = await findBundle(await asDevice(), 'os', 'os/release-2');
    expect(gone.ok ? 'ok' : gone.fault.reason).toBe('target-missing');
    await staged('release-4', '--counter', '4', '--floor', '1');
  });

  test('is shown, and halted by hand', async () => {
    const words = ['--by', 'pat', '--permille', '1', '--references', office.at('release-4.references')];
    expect((await office.desk('promote', 'release-4', ...words)).json).toMatchObject({ state: 'rolling' });
    expect((await office.desk('halt', 'release-4', '--by', 'pat')).json).toMatchObject({ state: 'halted' });
    const { json } = await office.desk('show');
    expect(json['releases']).toMatchObject([
      { id: 'release-2', state: 'withdrawn', counter: 2 },
      { id: 'release-4', state: 'halted', counter: 4, floorEpoch: 1, author: 'ada', reviewers: ['bea'], hardware: ['board-1'] },
    ]);
    expect((await office.desk('show', 'release-5')).code).toBe('unavailable/not-found');
  });

  test('snapshot and timestamp are renewed by the publishing machine alone', async () => {
    const renew = (key: string) => office.desk('renew', '--key', office.at(`keys/${key}.json`));
    const before = (await asDevice()).snapshot.version;
    expect((await renew('os-first')).code).toBe('integrity/custodians-missing');
    expect((await renew('publisher')).code).toBe('ok');
    expect((await asDevice()).snapshot.version).toBe(before + 1);
  });

  test('root and lists are issued anew by their custodians', async () => {
    const before = (await asDevice()).root.version;
    expect((await office.desk('reissue', '--out', office.at('request'))).code).toBe('ok');
    const files: string[] = [];
    for (const role of ['owner', ...bundleClasses])
      for (const name of [`${role}-first`, `${role}-second`]) {
        const file = office.at(`${name}.anew`);
        const key = office.at(`keys/${name}.json`);
        expect((await office.release('sign', '--request', office.at('request'), '--key', key, '--out', file)).code).toBe('ok');
        files.push(file);
      }
    const stage = () => office.desk('stage', 'reissue', '--key', office.at('keys/publisher.json'));
    expect((await stage()).code).toBe('integrity/custodians-missing');
    expect((await office.desk('accept', 'reissue', ...files)).json).toMatchObject({ waitingFor: [] });
    expect((await stage()).code).toBe('ok');
    expect((await asDevice()).root.version).toBe(before + 1);
  });

  test('stands in the log from its draft on', async () => {
    const { json } = await office.desk('log');
    const records = json['records'] as readonly { readonly by: string; readonly did: string; readonly release: string }[];
    const told = records.filter(({ release }) => release === 'release-4').map(({ by, did }) => `${by} ${did}`);
    expect(told).toEqual(['ada add', 'bea review', 'os-first, os-second sign', 'publisher stage', 'pat roll', 'pat halt']);
    expect(json['head']).toMatch(/^[0-9a-f]{64}$/);
  });
});

const asDevice = async () => {
  const trust = deviceTrust({
    ...{ crypto: nodeCrypto, store: memoryStore(), pinnedRoot: office.root },
    fetch: async (name) => {
      try {
        return ok(new Uint8Array(readFileSync(office.at(`office/repository/metadata/${name}`))));
      } catch {
        return deny('unavailable', 'not-found', name);
      }
    },
  });
  return unwrap(await refresh(trust, { nowMs: linuxClock().nowMs(), floorMs: 0 }, new AbortController().signal));
};
