/**
 * Row 30 of the fault table in docs/threat-model.md: the keys of a class are stolen, and what is published under them is
 * good in every way, but nobody else was ever shown it. The publisher, the repository and the mind's look at it are real.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReadRange } from '#agents/mind/far-ends';
import { loggedOffer } from '#agents/update/logged';
import { offerOf } from '#agents/update/offer';
import { utf8 } from '#hal/core/bytes';
import { deny, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryStore } from '#hal/memory/durable-store';
import { readCheckpoint } from '#ota-client/transparency/checkpoint';
import { checkpointPath } from '#ota-client/transparency/log';
import type { LogPolicy } from '#ota-client/transparency/log-trust';
import { findBundle } from '#ota-client/trust/bundle';
import { logTrustFrom } from './log-keys.ts';
import type { ReleaseClass } from './release-plans.ts';
import { code, folderMirror, imageRepository, never, type ReleaseSite, releaseSite, secrets } from './releases.fixture.ts';

let site: ReleaseSite;
beforeEach(async () => {
  site = await releaseSite();
});
afterEach(() => site.dispose());

const publish = async (counter: number, name: ReleaseClass = 'os') => {
  const id = name === 'os' ? `release-${counter}` : `repair-${counter}`;
  const plan = { id, class: name, counter, changes: new Map([['etc/motd', utf8(id)]]) };
  const built = unwrap(await site.releases.build(plan));
  site.makeLive(built);
  unwrap(await site.releases.publish(built));
  return built.entry.path;
};

/** What a device with this memory makes of a release that the repository names. */
const offered = async (path: string, policy: LogPolicy, store = memoryStore(), read: ReadRange = folderMirror(site)) => {
  const name = path.startsWith('os/') ? 'os' : 'repair';
  const repository = unwrap(await imageRepository(site));
  const bundle = unwrap(await findBundle(repository, name, path));
  const source = { crypto: nodeCrypto, read: folderMirror(site), policy: site.releases.policyOf(name) };
  const offer = unwrap(await offerOf(source, repository, bundle, never));
  const trust = { ...logTrustFrom(nodeCrypto, secrets.custodians), policy };
  return loggedOffer({ crypto: nodeCrypto, trust, store, read }, repository, offer, name, never);
};
const logSize = async () =>
  unwrap(readCheckpoint(unwrap(await site.files.get(checkpointPath)) ?? new Uint8Array())).checkpoint.size;

describe('a release', () => {
  test('of an honest publisher stands in the log with its metadata and its statement', async () => {
    const path = await publish(2);
    expect(await logSize()).toBe(2);
    const offer = unwrap(await offered(path, 'require'));
    expect(offer.standing).toMatchObject({ is: 'proved', proved: { size: 2 } });
    expect(offer.proof).toBeDefined();
  });

  test('stays proved at the newest tree when others follow', async () => {
    const store = memoryStore();
    const first = await publish(2);
    expect(code(await offered(first, 'require', store))).toBe('ok');
    const second = await publish(3);
    expect(await logSize()).toBe(4);
    for (const path of [second, first])
      expect(unwrap(await offered(path, 'require', store)).standing).toMatchObject({ proved: { size: 4 } });
  });

  test('is not refused while its publisher is between two of its proofs', async () => {
    const path = await publish(2);
    const mirror = folderMirror(site);
    const log = new Map<string, Awaited<ReturnType<ReadRange>>>();
    const kept: ReadRange = async (of, ...rest) => {
      const read = await mirror(of, ...rest);
      if (of.includes('statement-')) log.set(of, read);
      return read;
    };
    unwrap(await offered(path, 'require', memoryStore(), kept));
    await publish(3);
    // Of the list there is a proof at the newest tree already, of the statement one at the tree before.
    const between: ReadRange = async (of, ...rest) => log.get(of) ?? mirror(of, ...rest);
    const store = memoryStore();
    expect(unwrap(await offered(path, 'require', store, between)).standing).toMatchObject({ is: 'proved' });
    // The larger of both trees is remembered.
    expect(code(await offered(path, 'require', store, between))).toBe('integrity/log-rollback');
  });

  test('row 30: signed with stolen keys is good but for the log, and refused where proof is required', async () => {
    await publish(2);
    site.releases.takeOver('keys');
    const path = await publish(3);
    expect(await logSize()).toBe(2);
    expect(code(await offered(path, 'require'))).toBe('integrity/log-proof-missing');
    expect(unwrap(await offered(path, 'warn')).standing).toMatchObject({
      is: 'unproved',
      fault: { reason: 'log-proof-missing' },
    });
    expect(unwrap(await offered(path, 'off')).standing).toEqual({ is: 'unasked' });
  });

  test('whose proofs a mirror holds back or changes is not installed; the fault says which', async () => {
    const path = await publish(2);
    const mirror = folderMirror(site);
    const down: ReadRange = async (of, ...rest) =>
      of.startsWith('log/') ? deny('unavailable', 'link-down') : mirror(of, ...rest);
    expect(code(await offered(path, 'require', memoryStore(), down))).toBe('unavailable/link-down');
    const swapped: ReadRange = async (of, ...rest) => mirror(of.includes('statement-') ? checkpointPath : of, ...rest);
    expect(code(await offered(path, 'require', memoryStore(), swapped))).toBe('protocol/malformed');
    expect(unwrap(await offered(path, 'warn', memoryStore(), down)).standing.is).toBe('unproved');
  });

  test('that no witness cosigned is not published; a repair is, and the publisher knows it (SR-12)', async () => {
    site.dispose();
    const asleep = ['witness-a', 'witness-b'].map((name) => ({
      name,
      key: logTrustFrom(nodeCrypto, secrets.custodians).key,
      ask: async () => deny('unavailable', 'link-down'),
    }));
    site = await releaseSite({ witnesses: asleep });
    const built = unwrap(await site.releases.build({ id: 'release-2', counter: 2 }));
    site.makeLive(built);
    expect(code(await site.releases.publish(built))).toBe('integrity/witnesses-missing');
    expect(unwrap(site.releases.record('release-2')).state).toBe('signed');
    const path = await publish(3, 'repair');
    expect(site.releases.leftOut).toEqual(['repair-3 integrity/witnesses-missing']);
    expect(unwrap(await offered(path, 'require')).standing).toMatchObject({
      is: 'unproved',
      fault: { reason: 'log-proof-missing' },
    });
  });
});
