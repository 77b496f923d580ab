import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeOf, deny, type Result, unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import { seededRandom } from '#hal/memory/random';
import { fetchMetadata } from '#ota-client/repository/files';
import { revokeRelease, stageRelease } from '#ota-client/repository/publisher';
import { findBundle } from '#ota-client/trust/bundle';
import { deviceTrust } from '#ota-client/trust/device-trust';
import { refresh } from '#ota-client/trust/refresh';
import { bundleClasses } from '#ota-client/trust/release';
import { signRequest } from './custodian-desk.ts';
import { type CustodianKey, makeKey, publicKeyJson, publicKeyOf } from './keys.ts';
import { draftOf, type TestOffice, testOffice } from './office.fixture.ts';
import { atDesk, openOffice } from './office.ts';
import { logFileIn } from './office-log.fixture.ts';
import { beginReissue, publishReissue } from './reissue.ts';
import { acceptFiles } from './signatures.ts';

let office: TestOffice;
/** One device, which saw the repository before. */
let store: ReturnType<typeof memoryStore>;
beforeEach(async () => {
  office = await testOffice();
  store = memoryStore();
  await office.add(draftOf(office, 'policy'));
  unwrap(await office.sign('policy-2', 'policy-first', 'policy-second'));
  const machine = [office.key('publisher-only').signer];
  unwrap(await atDesk(office.parts, office.folder, [], (desk) => stageRelease(desk, 'policy-2', machine)));
});
afterEach(() => office.remove());

const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const seen = async () => {
  const served = office.served();
  const trust = deviceTrust({
    ...{ crypto: office.parts.crypto, store, pinnedRoot: office.root },
    fetch: fetchMetadata({
      get: async (path) => {
        const found = served.get(path);
        return found === undefined ? deny('unavailable', 'not-found', path) : { ok: true, value: Buffer.from(found, 'base64') };
      },
    }),
  });
  return refresh(trust, { nowMs: office.parts.clock.nowMs(), floorMs: 0 }, new AbortController().signal);
};
const publics = () => unwrap(openOffice(office.parts.crypto, office.folder)).custodians;
const newKey = async (name: string, role: CustodianKey['role']): Promise<CustodianKey> =>
  unwrap(await makeKey(`${office.folder}-${name}.json`, { name, role }, seededRandom(name)));
const signAll = async (request: Uint8Array, keys: readonly CustodianKey[]) => {
  const files: Uint8Array[] = [];
  for (const key of keys) files.push(unwrap(await signRequest(office.parts.crypto, request, key)).signatures);
  return acceptFiles(office.parts, office.folder, 'reissue', files);
};
const keepers = (...without: readonly string[]) =>
  ['owner', ...bundleClasses]
    .flatMap((role) => [`${role}-first`, `${role}-second`])
    .filter((name) => !without.includes(name))
    .map(office.key);
const publish = () => publishReissue(office.parts, office.folder, [office.key('publisher-only').signer]);

describe('all metadata anew', () => {
  test('names the same releases under a new root, and a device follows', async () => {
    const before = unwrap(await seen());
    const request = unwrap(await beginReissue(office.parts, office.folder, undefined));
    expect(unwrap(await signAll(request, keepers('os-second'))).waitingFor).toEqual(['os-second', 'os-third']);
    expect(code(await publish())).toBe('integrity/custodians-missing');
    expect(unwrap(await signAll(request, [office.key('os-third')])).waitingFor).toEqual([]);
    expect(code(await publish())).toBe('ok');
    const after = unwrap(await seen());
    expect(after.root.version).toBe(before.root.version + 1);
    expect(after.targets.version).toBe(before.targets.version + 1);
    expect(unwrap(await findBundle(after, 'policy', 'policy/current')).release.releaseCounter).toBe(2);
    expect(code(await publish())).toBe('unavailable/not-found');
  });

  test('of an office from before a class had custodians wants them named, and then goes on', async () => {
    const everybody = publics();
    const before = everybody.filter(({ role }) => role !== 'grants');
    writeFileSync(
      join(office.folder, 'office.json'),
      JSON.stringify({ haltAfterFailures: 2, custodians: before.map(publicKeyJson) }),
    );
    expect(code(await beginReissue(office.parts, office.folder, undefined))).toBe('integrity/custodians-missing');
    const request = unwrap(await beginReissue(office.parts, office.folder, everybody));
    expect(unwrap(await signAll(request, keepers())).waitingFor).toEqual([]);
    expect(code(await publish())).toBe('ok');
    expect(code(await seen())).toBe('ok');
  });

  test('is not for a technician to sign: that is no role of an office', async () => {
    const tess = publicKeyOf(await newKey('tess', 'technician'));
    expect(code(await beginReissue(office.parts, office.folder, [...publics(), tess]))).toBe('integrity/role-mismatch');
  });

  test('is public once its lists are in the log of releases, and not before', async () => {
    const before = unwrap(await seen());
    const request = unwrap(await beginReissue(office.parts, office.folder, undefined));
    unwrap(await signAll(request, keepers('os-second')));
    unwrap(await signAll(request, [office.key('os-third')]));
    const log = join(office.folder, 'log.json');
    writeFileSync(log, JSON.stringify(logFileIn(office.folder)));
    expect(code(await publish())).toBe('integrity/witnesses-missing');
    expect(unwrap(await seen()).root.version).toBe(before.root.version);
    rmSync(log);
    expect(code(await publish())).toBe('ok');
    expect(unwrap(await seen()).root.version).toBe(before.root.version + 1);
  });

  test('is not public where a release that it names was revoked since; begun anew, it is', async () => {
    const before = unwrap(await seen());
    const request = unwrap(await beginReissue(office.parts, office.folder, undefined));
    unwrap(await signAll(request, keepers()));
    unwrap(await atDesk(office.parts, office.folder, [], (desk) => revokeRelease(desk, 'policy-2', 'pat', false)));
    expect(code(await publish())).toBe('integrity/metadata-rollback');
    expect(unwrap(await seen()).root.version).toBe(before.root.version);
    unwrap(await signAll(unwrap(await beginReissue(office.parts, office.folder, undefined)), keepers()));
    unwrap(await publish());
    expect(code(await findBundle(unwrap(await seen()), 'policy', 'policy/current'))).toBe('policy/target-missing');
  });

  test('leaves the old root public where the rest of it cannot be', async () => {
    const before = unwrap(await seen());
    const request = unwrap(await beginReissue(office.parts, office.folder, undefined));
    unwrap(await signAll(request, keepers()));
    const { signer: stranger } = await newKey('stranger', 'publisher');
    expect(code(await publishReissue(office.parts, office.folder, [stranger]))).toBe('integrity/custodians-missing');
    expect(unwrap(await seen()).root.version).toBe(before.root.version);
    // A list that names nothing, as before, at a later version.
    const stage = () =>
      atDesk(office.parts, office.folder, [], (desk) =>
        stageRelease(desk, 'configuration-2', [office.key('publisher-only').signer]),
      );
    const signIt = () => office.sign('configuration-2', 'configuration-first', 'configuration-second');
    await office.add(draftOf(office, 'configuration'));
    unwrap(await signIt());
    unwrap(await stage());
    unwrap(await atDesk(office.parts, office.folder, [], (desk) => revokeRelease(desk, 'configuration-2', 'pat', false)));
    unwrap(await signIt());
    unwrap(await stage());
    expect(code(await publish())).toBe('integrity/metadata-rollback');
    expect(unwrap(await seen()).root.version).toBe(before.root.version);
  });

  test('replaces a custodian of a class, whose key then signs nothing', async () => {
    unwrap(await seen());
    // Any name: what custodians send back never lies in the place of the request.
    const eve = await newKey('request', 'policy');
    const next = [...publics().filter(({ name }) => name !== 'policy-first'), publicKeyOf(eve)];
    const request = unwrap(await beginReissue(office.parts, office.folder, next));
    const waiting = unwrap(await signAll(request, keepers('policy-first'))).waitingFor;
    expect(waiting).toEqual(['policy-third', 'request']);
    expect(code(await signAll(request, [office.key('policy-first')]))).toBe('integrity/role-mismatch');
    unwrap(await signAll(request, [eve]));
    unwrap(await publish());
    const repository = unwrap(await seen());
    expect(unwrap(await findBundle(repository, 'policy', 'policy/current')).release.releaseCounter).toBe(2);
    expect(publics().map(({ name }) => name)).not.toContain('policy-first');
  });

  test('SR-09: replaces an owner by the signatures of two old and two new ones', async () => {
    unwrap(await seen());
    const dan = await newKey('owner-fourth', 'owner');
    const left = ['owner-first', 'owner-second'];
    const eve = await newKey('owner-fifth', 'owner');
    const next = [...publics().filter(({ name }) => !left.includes(name)), publicKeyOf(dan), publicKeyOf(eve)];
    const request = unwrap(await beginReissue(office.parts, office.folder, next));
    const classes = keepers(...left);
    expect(unwrap(await signAll(request, [...classes, dan, eve])).waitingFor).toEqual([
      'owner-first',
      'owner-second',
      'owner-third',
    ]);
    expect(code(await publish())).toBe('integrity/custodians-missing');
    unwrap(await signAll(request, left.map(office.key)));
    unwrap(await publish());
    expect(unwrap(await seen()).root.version).toBe(2);
  });

  test('goes on beside what a cut left of a file that was being written', async () => {
    const request = unwrap(await beginReissue(office.parts, office.folder, undefined));
    for (const name of ['request.new', 'os-first.json.new'])
      writeFileSync(join(office.folder, 'requests', 'reissue', name), '{"format":');
    expect(unwrap(await signAll(request, keepers())).waitingFor).toEqual([]);
    unwrap(await publish());
  });

  test('gives no name another key, and leaves no role without custodians', async () => {
    const thief = await newKey('thief', 'policy');
    const swapped = publics().map((key) => (key.name === 'policy-first' ? { ...publicKeyOf(thief), name: key.name } : key));
    expect(code(await beginReissue(office.parts, office.folder, swapped))).toBe('integrity/hybrid-rule');
    const few = publics().filter(({ name }) => !['policy-first', 'policy-second'].includes(name));
    expect(code(await beginReissue(office.parts, office.folder, few))).toBe('integrity/custodians-missing');
    expect(code(await acceptFiles(office.parts, office.folder, 'reissue', []))).toBe('unavailable/not-found');
  });
});
