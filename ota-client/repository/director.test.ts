import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { eligibleTarget } from '#ota-client/trust/eligible';
import { codeFor } from '#ota-client/trust/forge.fixture';
import { isInRollout, rolloutBucket } from '#ota-client/trust/rollout-bucket';
import { type DirectorRequest, direct } from './director.ts';
import { draftRelease, haltRelease, reviewRelease, rollRelease, signRelease, stageRelease } from './publisher.ts';
import { ci, keepers, osEntry, type Site, site } from './repository.fixture.ts';

const nonce = new Uint8Array(32).fill(4);

/** A site with one release for each counter, all in rollout. */
const offering = async (permille: number, ...counters: readonly number[]): Promise<Site> => {
  const here = await site();
  for (const counter of counters) {
    const id = `release-${counter}`;
    const entry = osEntry(id, { releaseCounter: counter });
    here.upload(entry);
    here.live.add(id);
    unwrap(draftRelease(here.desk, { id, class: 'os', author: 'ada', custom: entry.custom, entries: [entry] }));
    unwrap(reviewRelease(here.desk, id, 'bea'));
    unwrap(await signRelease(here.desk, id, keepers('os')));
    unwrap(await stageRelease(here.desk, id, ci));
    unwrap(await rollRelease(here.desk, id, permille, 'pat'));
  }
  return here;
};
const request = ({ clock }: Site, rest: Partial<DirectorRequest> = {}): DirectorRequest => ({
  result: { status: 'affirming', issuedMs: clock.nowMs(), expiresMs: clock.nowMs() + 300_000, nonce },
  hardwareId: 'board-1',
  releaseCounter: 1,
  floorEpoch: 0,
  buckets: new Map(),
  ...rest,
});
const installed = { hardwareId: 'board-1', releaseCounter: 1, floorEpoch: 0, nonce };
const offered = async (here: Site, asked = request(here)) => {
  const answer = unwrap(await direct(here.director, asked));
  const director = unwrap(await here.openDirector(answer));
  const bundle = await eligibleTarget(nodeCrypto, director, unwrap(await here.openImage()), {
    ...installed,
    nonce: asked.result.nonce,
  });
  return bundle.ok ? bundle.value?.target.path : codeFor(bundle);
};

describe('the director', () => {
  test('names the newest release for this hardware, and the device finds it in both repositories', async () => {
    expect(await offered(await offering(1000, 2, 3))).toBe('os/release-3');
  });

  test.each([
    ['other hardware', { hardwareId: 'board-2' }],
    ['a device that has it', { releaseCounter: 2 }],
    ['a device with a higher floor', { floorEpoch: 1 }],
  ])('says nothing, signed, to %s', async (_, rest) => {
    const here = await offering(1000, 2);
    expect(await offered(here, request(here, rest))).toBeUndefined();
  });

  test('row 32: signs nothing without a fresh affirming result', async () => {
    const here = await offering(1000, 2);
    const withResult = async (rest: Partial<DirectorRequest['result']>) =>
      codeFor(await direct(here.director, request(here, { result: { ...request(here).result, ...rest } })));
    expect(await withResult({})).toBe('ok');
    expect(await withResult({ status: 'contraindicated' })).toBe('attestation/not-affirming');
    expect(await withResult({ status: 'warning' })).toBe('attestation/not-affirming');
    expect(await withResult({ expiresMs: here.clock.nowMs() })).toBe('attestation/stale');
    expect(await withResult({ issuedMs: here.clock.nowMs() - 11 * 60_000 })).toBe('attestation/stale');
  });

  test('row 31: its answer is worth nothing for another nonce, and nothing after half an hour', async () => {
    const here = await offering(1000, 2);
    const answer = unwrap(await direct(here.director, request(here)));
    const director = unwrap(await here.openDirector(answer));
    const other = { ...installed, nonce: new Uint8Array(32) };
    expect(codeFor(await eligibleTarget(nodeCrypto, director, unwrap(await here.openImage()), other))).toBe(
      'integrity/director-nonce',
    );
    await here.clock.advance(31 * 60_000);
    expect(codeFor(await here.openDirector(answer))).toBe('policy/metadata-expired');
  });

  test('names nothing of a halted release', async () => {
    const here = await offering(1000, 2);
    unwrap(haltRelease(here.desk, 'release-2', 'pat'));
    expect(await offered(here)).toBeUndefined();
  });

  test('row 29: a director that is owned cannot name what the image repository does not have', async () => {
    const here = await offering(1000, 2);
    const owned = {
      ...here.director,
      offers: async () =>
        ({ ok: true, value: [{ releaseId: 'x', permille: 1000, entry: osEntry('evil', { releaseCounter: 9 }) }] }) as const,
    };
    expect(await offered({ ...here, director: owned })).toBe('integrity/director-mismatch');
  });
});

describe('SR-21: the rollout', () => {
  test('reaches those whose bucket lies below the permille, and nobody without a bucket', async () => {
    const here = await offering(100, 2);
    const withBucket = (bucket: number) => offered(here, request(here, { buckets: new Map([['release-2', bucket]]) }));
    expect(await withBucket(0)).toBe('os/release-2');
    expect(await withBucket(Math.floor(2 ** 32 / 10))).toBe('os/release-2');
    expect(await withBucket(Math.ceil(2 ** 32 / 10))).toBeUndefined();
    expect(await withBucket(2 ** 32 - 1)).toBeUndefined();
    expect(await offered(here)).toBeUndefined();
    unwrap(await rollRelease(here.desk, 'release-2', 1000, 'pat'));
    expect(await withBucket(2 ** 32 - 1)).toBe('os/release-2');
  });

  test('widening keeps those who were in it', () => {
    for (const bucket of [0, 2 ** 20, 2 ** 31, 2 ** 32 - 1])
      for (let permille = 1; permille < 1000; permille++)
        if (isInRollout(bucket, permille)) expect(isInRollout(bucket, permille + 1)).toBe(true);
    expect(isInRollout(0, 0)).toBe(false);
    expect(isInRollout(2 ** 32 - 1, 1000)).toBe(true);
  });

  test('a bucket is the same for a release, another for another release, and spread evenly', () => {
    const key = new Uint8Array(32).fill(1);
    expect(rolloutBucket(nodeCrypto, key, 'a')).toBe(rolloutBucket(nodeCrypto, key, 'a'));
    expect(rolloutBucket(nodeCrypto, key, 'a')).not.toBe(rolloutBucket(nodeCrypto, key, 'b'));
    const buckets = Array.from({ length: 4000 }, (_, index) => rolloutBucket(nodeCrypto, key, `release ${index}`));
    const share = buckets.filter((bucket) => isInRollout(bucket, 250)).length / buckets.length;
    expect(share).toBeGreaterThan(0.22);
    expect(share).toBeLessThan(0.28);
  });
});
