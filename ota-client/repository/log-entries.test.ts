/** What of a publication stands in the log of releases before anybody can fetch it. */
import { expect, test } from 'vitest';
import { fromHex, utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import type { LogEntry } from '#ota-client/transparency/entry';
import { newLog } from '#ota-client/transparency/log.fixture';
import { publishedMeta } from './publish.ts';
import { enterLists } from './publisher.ts';
import { site } from './repository.fixture.ts';

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

test('a desk without a log enters nothing', async () => {
  expect(unwrap(await enterLists((await site()).desk, []))).toBeUndefined();
});
