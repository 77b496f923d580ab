/** What a technician may say in the director's place: within a grant, as the custodians of grants published it, and nothing beside. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { concat, toHex, utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { signMetadata, type TargetEntry, targetEntry, targetsJson } from '#ota-client/repository/compose';
import type { Signer } from '#ota-client/repository/custodian';
import { type GrantContent, grantFile, technicianWord } from '#ota-client/repository/field-grant';
import { draftRelease, reviewRelease, signRelease, stageRelease } from '#ota-client/repository/publisher';
import { ci, custodian, id, image, keepers, osEntry, rolling, type Site } from '#ota-client/repository/repository.fixture';
import {
  findGrant,
  grantedTarget,
  grantPath,
  maxGrantBytes,
  maxGrantLifetimeMs,
  maxWordBytes,
  maxWordLifetimeMs,
  readGrant,
} from './field-grant.ts';
import { codeFor, storyOf } from './forge.fixture.ts';
import type { JsonObject } from './json.ts';

const hour = 3_600_000;
const tess = custodian('tess');
const toby = custodian('toby');
const device = { hardwareId: 'board-1', releaseCounter: 1, floorEpoch: 0 };

let here: Site;
beforeEach(async () => {
  here = await rolling();
});

const grantOf = (rest: Partial<GrantContent> = {}): Uint8Array => {
  const bounds = { version: 1, expiresMs: here.clock.nowMs() + 5 * hour, releases: { first: 2, last: 4 }, uses: 1 };
  return unwrap(grantFile(nodeCrypto, { ...bounds, technicians: [tess], ...rest }));
};

/** Staged by its own custodians, or by those of another class. */
const publish = async (grant: Uint8Array, custom: JsonObject = { hw: ['board-1'] }, hardware = 'board-1') => {
  const entry = targetEntry(nodeCrypto, grantPath(hardware), grant, { releaseCounter: 1, ...custom });
  const name = `grant-${hardware}`;
  here.live.add(name);
  unwrap(draftRelease(here.desk, { id: name, class: 'grants', author: 'ada', custom: entry.custom, entries: [entry] }));
  unwrap(reviewRelease(here.desk, name, 'bea'));
  unwrap(await signRelease(here.desk, name, keepers('grants')));
  here.kept.set(`targets/grants/${entry.sha256}.${hardware}`, grant);
  unwrap(await stageRelease(here.desk, name, ci));
};

const wordOf = async (grant: Uint8Array, entry: TargetEntry = osEntry(id), by: Signer = tess): Promise<Uint8Array> =>
  unwrap(await technicianWord(nodeCrypto, grant, entry, by, here.clock.nowMs()));

/** A word as no publisher writes it. */
const oddWord = async (
  grant: Uint8Array,
  { lifeMs = hour, entries = [osEntry(id)], delegates = false },
  by: Signer = tess,
): Promise<Uint8Array> => {
  const nonceHash = toHex(nodeCrypto.hash('sha256', grant));
  const named = entries.map((entry) => ({ ...entry, custom: { ...entry.custom, nonceHash } }));
  const quorum = { custodians: [by], threshold: 1 };
  const delegations = delegates ? [{ name: 'x', quorum }] : [];
  const said = targetsJson(nodeCrypto, 1, here.clock.nowMs() + lifeMs, named, delegations);
  return unwrap(await signMetadata(nodeCrypto, said, [by], quorum));
};

const taken = async (grant: Uint8Array, word: Uint8Array, installed = device) => {
  const repository = await here.openImage();
  if (!repository.ok) return repository;
  const found = await findGrant(repository.value, installed.hardwareId);
  if (!found.ok) return found;
  return grantedTarget(nodeCrypto, { grant, word }, found.value.release.releaseCounter, repository.value, installed);
};

describe('a release under a field grant', () => {
  test('is taken when a technician and the image repository name it', async () => {
    const grant = grantOf({ uses: 3 });
    await publish(grant);
    const bundle = unwrap(await taken(grant, await wordOf(grant)));
    expect(bundle).toMatchObject({
      ...{ target: { path: `os/${id}`, roles: ['targets', 'os'] }, release: { releaseCounter: 2 } },
      grant: { digest: nodeCrypto.hash('sha256', grant), uses: 3 },
    });
  });

  test('may be named by each of several technicians, and nothing is an answer too', async () => {
    const grant = grantOf({ technicians: [tess, toby] });
    await publish(grant);
    expect(codeFor(await taken(grant, await wordOf(grant, osEntry(id), toby)))).toBe('ok');
    expect(unwrap(await taken(grant, await oddWord(grant, { entries: [] })))).toBeUndefined();
  });

  test('is refused where no grant is published for this hardware', async () => {
    const grant = grantOf();
    expect(codeFor(await taken(grant, await wordOf(grant)))).toBe('policy/grant-missing');
    await publish(grant, { hw: ['board-2'] }, 'board-2');
    expect(codeFor(await taken(grant, await wordOf(grant)))).toBe('policy/grant-missing');
    expect(codeFor(await taken(grant, await wordOf(grant), { ...device, hardwareId: 'board-2' }))).toBe(
      'policy/hardware-mismatch',
    );
  });

  test.each([
    ['of another class of hardware', { hw: ['board-2'] }],
    ['for two classes', { hw: ['board-1', 'board-2'] }],
    ['for all hardware', {}],
  ])('is refused under a grant %s', async (_, custom) => {
    const grant = grantOf();
    await publish(grant, custom);
    expect(codeFor(await taken(grant, await wordOf(grant)))).toBe('policy/hardware-mismatch');
  });

  test('is refused once the grant has expired, and under one that lives for longer than a month', async () => {
    const grant = grantOf();
    await publish(grant);
    const word = await wordOf(grant);
    await here.clock.advance(5 * hour - 1000);
    expect(codeFor(await taken(grant, word))).toBe('ok');
    await here.clock.advance(1000);
    expect(codeFor(await taken(grant, word))).toBe('policy/grant-expired');
    expect(codeFor(await taken(grantOf({ expiresMs: here.clock.nowMs() + maxGrantLifetimeMs + 1000 }), word))).toBe(
      'integrity/grant-lifetime',
    );
  });

  test.each([
    [3, 9],
    [1, 1],
  ])('is refused where the grant is for releases %i to %i', async (first, last) => {
    const grant = grantOf({ releases: { first, last } });
    await publish(grant);
    expect(codeFor(await taken(grant, await wordOf(grant)))).toBe('policy/grant-range');
  });

  test('SR-03: is refused from another technician, from custodians of grants or of systems', async () => {
    const grant = grantOf();
    await publish(grant);
    for (const by of [toby, ...keepers('grants'), ...keepers('os'), custodian('director')])
      expect(codeFor(await taken(grant, await wordOf(grant, osEntry(id), by)))).toBe('integrity/custodians-missing');
  });

  test('SR-09: is refused with one algorithm alone', async () => {
    const grant = grantOf();
    await publish(grant);
    const word = JSON.parse(Buffer.from(await wordOf(grant)).toString('utf8')) as { readonly signatures: readonly unknown[] };
    for (const half of [0, 1]) {
      const bytes = utf8(JSON.stringify({ ...word, signatures: word.signatures.slice(half, half + 1) }));
      expect(codeFor(await taken(grant, bytes))).toBe('integrity/signature-missing');
    }
  });

  test('is refused with the word under another grant, old or new', async () => {
    const grant = grantOf();
    await publish(grant);
    expect(codeFor(await taken(grant, await wordOf(grantOf({ uses: 2 }))))).toBe('integrity/grant-mismatch');
    // The grant of yesterday, where the repository names that of today: the file is not its target any more.
    const other = grantOf({ version: 2 });
    expect(storyOf(await taken(other, await wordOf(other)))).toBe('integrity/target-mismatch: version of the grant');
  });

  test('is refused with a word that has expired, lives for longer than a day, names two, delegates, or is too large', async () => {
    const grant = grantOf();
    await publish(grant);
    const second = osEntry('second');
    expect(codeFor(await taken(grant, await oddWord(grant, { lifeMs: 0 })))).toBe('policy/metadata-expired');
    expect(codeFor(await taken(grant, await oddWord(grant, { lifeMs: maxWordLifetimeMs })))).toBe('ok');
    expect(codeFor(await taken(grant, await oddWord(grant, { lifeMs: maxWordLifetimeMs + 1000 })))).toBe(
      'integrity/director-lifetime',
    );
    expect(codeFor(await taken(grant, await oddWord(grant, { entries: [osEntry(id), second] })))).toBe(
      'integrity/director-mismatch',
    );
    expect(codeFor(await taken(grant, await oddWord(grant, { delegates: true })))).toBe('integrity/director-delegates');
    expect(codeFor(await taken(grant, concat(await wordOf(grant), new Uint8Array(maxWordBytes).fill(0x20))))).toBe(
      'protocol/too-large',
    );
  });

  test('row 29: is refused where the image repository says otherwise', async () => {
    const grant = grantOf();
    await publish(grant);
    const other = targetEntry(nodeCrypto, `os/${id}`, concat(image, utf8('!')), osEntry(id).custom);
    for (const entry of [other, osEntry(id, { releaseCounter: 3 }), osEntry(id, { hw: ['board-2'] }), osEntry('nowhere')])
      expect(codeFor(await taken(grant, await wordOf(grant, entry)))).toBe('integrity/director-mismatch');
  });

  test('SR-08: every rule of the device holds: what it has, and its floor', async () => {
    const grant = grantOf();
    await publish(grant);
    const word = await wordOf(grant);
    expect(codeFor(await taken(grant, word, { ...device, releaseCounter: 2 }))).toBe('policy/release-current');
    expect(codeFor(await taken(grant, word, { ...device, releaseCounter: 3 }))).toBe('integrity/release-rollback');
    expect(codeFor(await taken(grant, word, { ...device, floorEpoch: 1 }))).toBe('integrity/below-floor');
  });
});

/** All bits with `ENIGM_BIT_STRIDE=1`; one in 101 in a run of the tests. */
const stride = Number(process.env['ENIGM_BIT_STRIDE'] ?? 101);
const flips = function* (bytes: Uint8Array) {
  for (let bit = 0; bit < bytes.length * 8; bit += stride)
    yield { bit, changed: bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))) };
};

describe('one changed bit', () => {
  test('of a grant is refused, whether or not the list pins the file', { timeout: 600_000 }, async () => {
    const grant = grantOf();
    await publish(grant);
    const [word, repository] = [await wordOf(grant), unwrap(await here.openImage())];
    expect(codeFor(await grantedTarget(nodeCrypto, { grant, word }, 1, repository, device))).toBe('ok');
    const accepted: number[] = [];
    for (const { bit, changed } of flips(grant))
      if ((await grantedTarget(nodeCrypto, { grant: changed, word }, 1, repository, device)).ok) accepted.push(bit);
    expect(accepted).toEqual([]);
  });

  test('of the word of a technician is refused', { timeout: 600_000 }, async () => {
    const grant = grantOf();
    await publish(grant);
    const [word, repository] = [await wordOf(grant), unwrap(await here.openImage())];
    const accepted: number[] = [];
    for (const { bit, changed } of flips(word))
      if ((await grantedTarget(nodeCrypto, { grant, word: changed }, 1, repository, device)).ok) accepted.push(bit);
    expect(accepted).toEqual([]);
  });
});

describe('the file of a grant', () => {
  test('SR-21: names a class of hardware and releases, and nothing of a device; so does the word under it', async () => {
    const grant = JSON.parse(Buffer.from(grantOf()).toString('utf8')) as Record<string, unknown>;
    expect(Object.keys(grant)).toEqual(['format', 'version', 'expires', 'releases', 'uses', 'keys', 'technicians']);
    const word = JSON.parse(Buffer.from(await wordOf(grantOf())).toString('utf8')) as {
      readonly signed: { readonly targets: Readonly<Record<string, { readonly custom: object }>> };
    };
    expect(Object.keys(word.signed)).toEqual(['_type', 'spec_version', 'version', 'expires', 'targets']);
    const [target] = Object.values(word.signed.targets);
    expect(Object.keys(target?.custom ?? {})).toEqual(['releaseCounter', 'floorEpoch', 'hw', 'nonceHash']);
  });

  const changed = (change: (grant: Record<string, unknown>) => void): Uint8Array => {
    const grant = JSON.parse(Buffer.from(grantOf()).toString('utf8')) as Record<string, unknown>;
    change(grant);
    return utf8(JSON.stringify(grant));
  };

  test.each([
    ['another format', { format: 'enigm-field-grant-2' }],
    ['no end', { expires: undefined }],
    ['a version of 0', { version: 0 }],
    ['releases in the wrong order', { releases: { first: 3, last: 2 } }],
    ['no uses', { uses: 0 }],
    ['too many uses', { uses: 17 }],
    ['no technician', { technicians: { keyids: [], threshold: 1 } }],
  ])('is refused with %s', (_, rest) => {
    expect(codeFor(readGrant(changed((grant) => Object.assign(grant, rest))))).toMatch(
      /^(?:protocol\/field-invalid|integrity\/hybrid-rule)$/,
    );
  });

  test('is refused where a technician has one key', () => {
    const half = changed((grant) => {
      const { keyids } = grant['technicians'] as { readonly keyids: readonly string[] };
      grant['technicians'] = { keyids: keyids.slice(0, 1), threshold: 1 };
    });
    expect(codeFor(readGrant(half))).toBe('integrity/hybrid-rule');
  });

  test('is refused by value, whatever it is, and unread where it is too large', () => {
    expect(codeFor(readGrant(new Uint8Array(maxGrantBytes + 1)))).toBe('protocol/too-large');
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => !readGrant(bytes).ok));
    fc.assert(fc.property(fc.json(), (text) => !readGrant(utf8(text)).ok));
  });
});
