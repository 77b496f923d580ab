/** What of a publication stands in the log of releases before anybody can fetch it. */
import { describe, expect, test } from 'vitest';
import { fromHex, utf8 } from '#hal/core/bytes';
import { deny, done, ok, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import type { LogEntry } from '#ota-client/transparency/entry';
import { newLog } from '#ota-client/transparency/log.fixture';
import { codeFor } from '#ota-client/trust/forge.fixture';
import { type BundleClass, bundleClasses } from '#ota-client/trust/release';
import { publishedMeta } from './publish.ts';
import { type Desk, draftRelease, enterLists, reviewRelease, signRelease, stageRelease } from './publisher.ts';
import { ci, keepers, site } from './repository.fixture.ts';
import { hasFloor } from './succession.ts';

test('lists that are signed anew are entered, and what was public before is proved again', async () => {
  const { desk, files } = await site();
  const log = newLog();
  const transparency = { record: log.record, leftOut: () => undefined };
  const list = { role: 'os', version: 2, bytes: utf8('the next list of os') };
  unwrap(await enterLists({ ...desk, transparency }, [list]));
  expect(await log.proof({ kind: 'targets', digest: nodeCrypto.hash('sha256', list.bytes) })).toBeDefined();
  const hash =
    unwrap(await publishedMeta(files))
      .meta.get('os.json')
      ?.hashes?.get('sha256') ?? '';
  const published: LogEntry = { kind: 'targets', digest: fromHex(hash) ?? new Uint8Array() };
  unwrap(await log.record([published]));
  const before = await log.proof(published);
  unwrap(await enterLists({ ...desk, transparency }, [{ ...list, bytes: utf8('the one after') }]));
  expect(await log.proof(published)).not.toEqual(before);
});

describe('while the witnesses are away', () => {
  const staged = async (name: BundleClass) => {
    const here = await site();
    const leftOut: string[] = [];
    const transparency = {
      record: async () => deny('integrity', 'witnesses-missing'),
      leftOut: (release: { readonly id: string }, why: string) => leftOut.push(`${release.id} ${why}`),
    };
    const desk = { ...here.desk, transparency };
    const custom = { releaseCounter: 2, ...(hasFloor({ class: name }) ? { hw: ['board-1'] } : {}) };
    here.live.add('next');
    unwrap(draftRelease(desk, { id: 'next', class: name, author: 'ada', custom, entries: [] }));
    unwrap(reviewRelease(desk, 'next', 'bea'));
    unwrap(await signRelease(desk, 'next', keepers(name)));
    return { code: codeFor(await stageRelease(desk, 'next', ci)), leftOut };
  };

  test('an os waits', async () => {
    expect(await staged('os')).toEqual({ code: 'integrity/witnesses-missing', leftOut: [] });
  });

  test.each(bundleClasses.filter((name) => name !== 'os'))('%s is public without the log, and somebody is told', async (name) => {
    expect(await staged(name)).toEqual({ code: 'ok', leftOut: ['next integrity/witnesses-missing'] });
  });
});

test('a list that cannot be public is not entered', async () => {
  const { desk } = await site();
  const recorded: string[] = [];
  const record = async () => {
    recorded.push('list');
    return done;
  };
  const watched: Desk = { ...desk, areReferencesLive: async () => ok(true), transparency: { record, leftOut: () => undefined } };
  const custom = { releaseCounter: 2 };
  unwrap(draftRelease(desk, { id: 'next', class: 'policy', author: 'ada', custom, entries: [] }));
  unwrap(reviewRelease(desk, 'next', 'bea'));
  unwrap(await signRelease(desk, 'next', keepers('policy')));
  expect(codeFor(await stageRelease(watched, 'next', keepers('os')))).toBe('integrity/custodians-missing');
  expect(recorded).toEqual([]);
  expect(codeFor(await stageRelease(watched, 'next', ci))).toBe('ok');
  expect(recorded).toEqual(['list']);
});

test('a desk without a log enters nothing', async () => {
  expect(unwrap(await enterLists((await site()).desk, []))).toBeUndefined();
});
