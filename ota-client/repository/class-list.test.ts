/** Between signature and publication a release may be revoked or halted: a list that names it then is public nevermore. */
import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { findBundle } from '#ota-client/trust/bundle';
import { canonicalJson } from '#ota-client/trust/canonical';
import { codeFor } from '#ota-client/trust/forge.fixture';
import { metadataMessages } from './custodian.ts';
import {
  acceptSignatures,
  draftRelease,
  haltRelease,
  listToSign,
  reviewRelease,
  revokeRelease,
  rollRelease,
  signRelease,
  stageRelease,
} from './publisher.ts';
import { loadRelease } from './release-record.ts';
import { ci, drafted, id, keepers, osEntry, rolling, type Site, stateOf } from './repository.fixture.ts';

const rollback = 'integrity/metadata-rollback';
const find = async (here: Site, name = id) => codeFor(await findBundle(unwrap(await here.openImage()), 'os', `os/${name}`));
const signed = async (): Promise<Site> => {
  const here = await drafted();
  unwrap(reviewRelease(here.desk, id, 'bea'));
  unwrap(await signRelease(here.desk, id, keepers('os')));
  return here;
};
const withoutIt = async (here: Site) => {
  unwrap(await signRelease(here.desk, id, keepers('os')));
  expect(unwrap(await stageRelease(here.desk, id, ci)).state).toBe('withdrawn');
  expect(await find(here)).toBe('policy/target-missing');
};
/** Another release of the class, signed by a list that names the one of the fixture as well. */
const beside = async (here: Site) => {
  const next = osEntry('next', { releaseCounter: 3 });
  here.upload(next);
  here.live.add('next');
  unwrap(draftRelease(here.desk, { id: 'next', class: 'os', author: 'ada', custom: next.custom, entries: [next] }));
  unwrap(reviewRelease(here.desk, 'next', 'bea'));
  unwrap(await signRelease(here.desk, 'next', keepers('os')));
};

describe('a revoked release is not staged by a list that names it', () => {
  test('which was signed, and never public', async () => {
    const here = await signed();
    unwrap(revokeRelease(here.desk, id, 'pat', false));
    expect(codeFor(await stageRelease(here.desk, id, ci))).toBe(rollback);
    expect(stateOf(here)).toBe('revoked');
    expect(await find(here)).toBe('policy/target-missing');
    await withoutIt(here);
  });

  test('which is public already', async () => {
    const here = await rolling();
    unwrap(revokeRelease(here.desk, id, 'pat', false));
    expect(codeFor(await stageRelease(here.desk, id, ci))).toBe(rollback);
    expect(stateOf(here)).toBe('revoked');
    await withoutIt(here);
  });

  test('which was asked for before, and accepted after', async () => {
    const here = await drafted();
    unwrap(reviewRelease(here.desk, id, 'bea'));
    const list = unwrap(await listToSign(here.desk, id));
    const [keeper] = keepers('os');
    if (keeper === undefined) throw new Error('nobody keeps os');
    const signature = unwrap(await keeper.sign(metadataMessages(nodeCrypto, canonicalJson(list.signed))));
    unwrap(revokeRelease(here.desk, id, 'pat', false));
    unwrap(acceptSignatures(here.desk, id, list, [{ name: keeper.name, ...signature }]));
    expect(codeFor(await stageRelease(here.desk, id, ci))).toBe(rollback);
    expect(stateOf(here)).toBe('revoked');
    await withoutIt(here);
  });
});

describe('a signed list is not public', () => {
  test.each([
    ['revoked', (here: Site) => unwrap(revokeRelease(here.desk, id, 'pat', false))],
    ['halted', (here: Site) => unwrap(haltRelease(here.desk, id, 'pat'))],
  ])('when another release that it names was %s since', async (state, lose) => {
    const here = await rolling();
    await beside(here);
    lose(here);
    expect(codeFor(await stageRelease(here.desk, 'next', ci))).toBe(rollback);
    expect(stateOf(here)).toBe(state);
    expect(unwrap(loadRelease(here.desk.store, 'next')).state).toBe('signed');
    unwrap(reviewRelease(here.desk, 'next', 'bea'));
    unwrap(await signRelease(here.desk, 'next', keepers('os')));
    unwrap(await stageRelease(here.desk, 'next', ci));
    expect(await find(here)).toBe('policy/target-missing');
    expect(await find(here, 'next')).toBe('ok');
  });

  test('and is, when what it names is offered to more devices since', async () => {
    const here = await rolling(10);
    await beside(here);
    unwrap(await rollRelease(here.desk, id, 500, 'pat'));
    expect(codeFor(await stageRelease(here.desk, 'next', ci))).toBe('ok');
  });
});
