import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readManifest } from '#agents/update/manifest';
import { fromBase64, toHex } from '#hal/core/bytes';
import { deny, ok, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxClock } from '#hal/linux/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { findBundle } from '#ota-client/trust/bundle';
import { deviceTrust } from '#ota-client/trust/device-trust';
import { refresh } from '#ota-client/trust/refresh';
import { targetFileName } from '#ota-client/trust/target-file';
import { askJson } from '../enigmctl.fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'enigm-office-'));
afterAll(() => rmSync(directory, { recursive: true }));
const at = (name: string) => join(directory, name);
const key = (name: string) => at(`keys/${name}.json`);
const code = (json: unknown): string => {
  const { fault } = json as { readonly fault?: { readonly category: string; readonly reason: string } };
  return fault === undefined ? 'ok' : `${fault.category}/${fault.reason}`;
};
const release = async (...words: readonly string[]) => {
  const { json } = await askJson('release', ...words);
  return { json: json as Record<string, unknown>, code: code(json) };
};

describe('a publisher in a folder', () => {
  let root: Uint8Array;
  beforeAll(async () => {
    const { json } = await release('init', at('office'), '--keys', at('keys'));
    root = fromBase64(String(json['root'])) ?? new Uint8Array();
    writeFileSync(at('one'), new Uint8Array(300_000).fill(1));
    writeFileSync(at('two'), new Uint8Array(300_000).fill(2));
    writeFileSync(at('none'), '00'.repeat(32));
  });
  const add = (id: string, ...rest: readonly string[]) =>
    release('add', at('office'), id, '--image', at('two'), '--hardware', 'board-1', '--author', 'ada', ...rest);
  const sign = (id: string, reviewer: string, ...keys: readonly string[]) =>
    release('sign', at('office'), id, '--reviewer', reviewer, '--key', ...keys.map(key));
  const publish = (id: string, references: string, ...rest: readonly string[]) =>
    release('publish', at('office'), id, '--references', at(references), '--key', key('publisher'), ...rest);

  test('is made once, and a draft as well', async () => {
    expect((await release('init', at('office'), '--keys', at('keys'))).code).toBe('protocol/event-refused');
    expect((await add('release-2', '--counter', '2', '--base', at('one'))).json).toEqual({ id: 'release-2', state: 'draft' });
    expect((await add('release-2', '--counter', '2')).code).toBe('protocol/event-refused');
  });

  test.each([
    [['--counter', '0'], 'protocol/config-invalid'],
    [['--counter', 'two'], 'protocol/config-invalid'],
    [['--counter', '3', '--floor', '65'], 'protocol/config-invalid'],
    [['--counter', '3', '--class', 'policy'], 'protocol/config-invalid'],
    [['--counter', '3', '--base', 'nowhere'], 'protocol/file-unreadable'],
  ])('refuses a draft of %j', async (words, expected) => {
    expect((await add('release-3', ...words)).code).toBe(expected);
  });

  test('SR-03, SR-09: one custodian, or one of another class, does not sign; nor does the author review', async () => {
    expect((await sign('release-2', 'bea', 'os-first')).code).toBe('integrity/signature-missing');
    expect((await sign('release-2', 'bea', 'os-first', 'repair-second')).code).toBe('integrity/signature-missing');
    expect((await sign('release-2', 'ada', 'os-first', 'os-second')).code).toBe('policy/review-missing');
    expect((await sign('release-9', 'bea', 'os-first', 'os-second')).code).toBe('unavailable/not-found');
    expect((await sign('release-2', 'bea', 'nobody')).code).toBe('protocol/file-unreadable');
  });

  test('SR-13: what two signed is published when its references are live, and a device finds it', async () => {
    expect((await sign('release-2', 'bea', 'os-first', 'os-second')).json).toMatchObject({ state: 'signed', reviewers: ['bea'] });
    expect((await publish('release-2', 'none')).code).toBe('policy/references-missing');
    writeFileSync(at('live'), toHex(new Uint8Array(readFileSync(at('office/drafts/release-2/verity-root')))));
    expect((await publish('release-2', 'live', '--permille', '10')).json).toMatchObject({ state: 'rolling', permille: 10 });
    expect((await publish('release-2', 'live')).json).toMatchObject({ state: 'rolling', permille: 1000 });
    expect((await publish('release-2', 'live', '--permille', '1001')).code).toBe('protocol/field-invalid');

    const trust = deviceTrust({
      ...{ crypto: nodeCrypto, store: memoryStore(), pinnedRoot: root },
      fetch: async (name) => {
        try {
          return ok(new Uint8Array(readFileSync(at(`office/repository/metadata/${name}`))));
        } catch {
          return deny('unavailable', 'not-found', name);
        }
      },
    });
    const signal = new AbortController().signal;
    const repository = unwrap(await refresh(trust, { nowMs: linuxClock().nowMs(), floorMs: 0 }, signal));
    const { target, release: found } = unwrap(await findBundle(repository, 'os', 'os/release-2'));
    expect(found).toMatchObject({ releaseCounter: 2, floorEpoch: 0, hw: ['board-1'] });
    const file = at(`office/repository/targets/${targetFileName(repository, target)}`);
    expect(unwrap(readManifest(new Uint8Array(readFileSync(file)))).files.pairs).toHaveLength(1);
  });
});
