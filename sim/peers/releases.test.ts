import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readManifest } from '#agents/update/manifest';
import { toHex, utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { openStatement } from '#ota-client/slots/statement';
import { findBundle } from '#ota-client/trust/bundle';
import { classTargets } from '#ota-client/trust/listing';
import { repairTarget } from '#ota-client/trust/repair';
import { flipBits } from './mirror.ts';
import {
  ask,
  code,
  eligible,
  folderMirror,
  imageRepository,
  manifestOfBundle,
  memoryDevice,
  type ReleaseSite,
  releaseSite,
  slotContent,
} from './releases.fixture.ts';

let site: ReleaseSite;
beforeEach(async () => {
  site = await releaseSite();
});
afterEach(() => site.dispose());

const second = { id: 'release-2', counter: 2, changes: new Map([['etc/motd', utf8('two')]]) };
const built = async (plan: Parameters<ReleaseSite['releases']['build']>[0] = second) => {
  const release = unwrap(await site.releases.build(plan));
  site.makeLive(release);
  return release;
};
const published = async (plan: Parameters<ReleaseSite['releases']['build']>[0] = second, permille?: number) => {
  const release = await built(plan);
  unwrap(await site.releases.publish(release, permille));
  return release;
};

describe('a release', () => {
  test('is an image, its hash tree, and a statement that two custodians signed', async () => {
    const release = await built();
    const { statement } = unwrap(readManifest(release.manifest));
    const opened = unwrap(openStatement(site.releases.policyOf('os'), statement));
    expect(opened).toEqual({ release: release.facts, salt: release.salt, uuid: release.uuid });
    expect(opened.release).toMatchObject({ counter: 2, floorEpoch: 0, imageBytes: release.image.length });
  });

  test('SR-03: with one custodian, or by those of another class, its statement opens nowhere', async () => {
    const alone = await built({ ...second, statementSigners: 1 });
    expect(code(openStatement(site.releases.policyOf('os'), alone.statement))).toBe('integrity/signature-missing');
    const repair = await built({ ...second, class: 'repair' });
    expect(code(openStatement(site.releases.policyOf('os'), repair.statement))).toBe('integrity/signature-missing');
    expect(code(openStatement(site.releases.policyOf('repair'), repair.statement))).toBe('ok');
  });

  test('names its files by paths that a repository serves', async () => {
    const { files } = unwrap(readManifest((await published()).manifest));
    for (const path of [files.index.path, files.full.recipe.path, files.full.piecesPath, files.pairs[0]?.piecesPath ?? ''])
      expect(unwrap(await site.files.size(path))).toBeGreaterThanOrEqual(0);
    expect(files.pairs).toHaveLength(1);
  });

  test('marked as unhealthy is known by its hash tree, and another is not', async () => {
    const sick = await built({ ...second, isUnhealthy: true });
    expect(site.releases.isUnhealthy(sick.facts.verityRoot)).toBe(true);
    expect(site.releases.isUnhealthy(site.releases.factory.facts.verityRoot)).toBe(false);
  });

  test('of the factory stays what it was when the peers start again', async () => {
    const again = await site.reopen();
    expect(toHex(again.factory.facts.digest)).toBe(toHex(site.releases.factory.facts.digest));
    again.close();
  });
});

describe('publishing', () => {
  test('SR-13: waits for the reference values, and goes on when they are live', async () => {
    const release = unwrap(await site.releases.build(second));
    expect(code(await site.releases.publish(release))).toBe('policy/references-missing');
    expect(unwrap(site.releases.record('release-2')).state).toBe('signed');
    expect(unwrap(site.releases.offers())).toEqual([]);
    site.makeLive(release);
    expect(unwrap(await site.releases.publish(release)).state).toBe('rolling');
    expect(unwrap(await site.releases.complete('release-2')).state).toBe('complete');
  });

  test('each release has a target of its own, so one that is halted hides none', async () => {
    await published();
    await published({ id: 'release-3', counter: 3 });
    const os = unwrap(await classTargets(unwrap(await imageRepository(site)), 'os'));
    expect([...os.keys()]).toEqual(['os/release-2', 'os/release-3']);
    unwrap(site.releases.halt('release-3'));
    expect(unwrap(site.releases.offers()).map(({ releaseId }) => releaseId)).toEqual(['release-2']);
  });

  test('SR-12: a repair release is found without a director and without an appraisal', async () => {
    const repair = await published({ id: 'repair-9', class: 'repair', counter: 9 });
    const installed = { hardwareId: 'simulated', releaseCounter: 1, floorEpoch: 0 };
    const bundle = unwrap(await repairTarget(unwrap(await imageRepository(site)), installed));
    expect(toHex(await manifestOfBundle(site, bundle))).toBe(toHex(repair.manifest));
    const device = await memoryDevice(site);
    expect(code(await device.install(repair.manifest, 'repair', folderMirror(site), false))).toBe('ok');
    expect(site.releases.offers()).toEqual({ ok: true, value: [] });
  });

  test.each([
    ['custodian', 'integrity/custodians-missing'],
    ['signature', 'integrity/signature-missing'],
  ] as const)('SR-09: of an owned publisher, without a %s, is refused by the device', async (how, expected) => {
    site.releases.takeOver(how);
    await published();
    const image = unwrap(await imageRepository(site));
    expect(code(await findBundle(image, 'os', 'os/release-2'))).toBe(expected);
  });
});

describe('reports of devices', () => {
  const report = (state: { version: number; digest: Uint8Array; holds: boolean; code?: string }) => ({
    lifecycle: 'active',
    level: 'basic' as const,
    managed: [{ kind: 'os', ...state }],
  });
  const running = () => ({ version: 1, digest: site.releases.factory.facts.digest, holds: true });

  test('one that left a release halts it', async () => {
    const release = await published({ ...second, isUnhealthy: true });
    unwrap(await site.releases.note('aa', report({ ...running(), code: 'policy/release-failed' })));
    expect(unwrap(site.releases.record(release.id))).toMatchObject({ state: 'halted', permille: 0, failedOn: ['aa'] });
    const { state } = unwrap(await site.releases.publish(release));
    expect(state).toBe('rolling');
    const named = { version: 2, digest: release.facts.digest, holds: false, code: 'policy/health-missing' };
    unwrap(await site.releases.note('aa', report(named)));
    expect(unwrap(site.releases.record(release.id)).state).toBe('halted');
  });

  test('one that never tried it, or runs it, counts for nothing', async () => {
    const release = await published();
    unwrap(await site.releases.note('aa', report(running())));
    unwrap(await site.releases.note('aa', report({ ...running(), code: 'integrity/custodians-missing' })));
    const runsIt = { version: 2, digest: release.facts.digest, holds: true, code: 'policy/release-failed' };
    unwrap(await site.releases.note('aa', report(runsIt)));
    expect(unwrap(site.releases.record(release.id)).state).toBe('rolling');
  });

  test('only the newest that was offered is the one that was left', async () => {
    await published();
    await published({ id: 'release-3', counter: 3 });
    unwrap(await site.releases.note('aa', report({ ...running(), code: 'policy/release-failed' })));
    expect(unwrap(site.releases.record('release-2')).state).toBe('rolling');
    expect(unwrap(site.releases.record('release-3')).state).toBe('halted');
  });

  test('one that goes on saying so is not held against what was published since, until it says otherwise', async () => {
    const left = report({ ...running(), code: 'policy/release-failed' });
    await published();
    unwrap(await site.releases.note('aa', left));
    await published({ id: 'release-3', counter: 3 });
    unwrap(await site.releases.note('aa', left));
    expect(unwrap(site.releases.record('release-3')).state).toBe('rolling');
    unwrap(await site.releases.note('aa', report(running())));
    unwrap(await site.releases.note('aa', left));
    expect(unwrap(site.releases.record('release-3')).state).toBe('halted');
  });
});

describe('a device', () => {
  test.each([
    ['from nothing', false, 'full'],
    ['from what it runs', true, 'pair'],
  ] as const)('installs what the director named, %s', async (_, knowsBase, tier) => {
    const release = await published();
    const bundle = unwrap(await eligible(site, unwrap(await ask(site))));
    if (bundle === undefined) throw new Error('nothing was named');
    const device = await memoryDevice(site);
    const manifest = await manifestOfBundle(site, bundle);
    const installed = unwrap(await device.install(manifest, 'os', folderMirror(site), knowsBase));
    expect(installed.outcome).toBe('trial');
    expect(installed.made?.[tier]).toBeGreaterThan(0);
    const content = slotContent(release);
    expect(Buffer.compare(device.written(content.length), content)).toBe(0);
  });

  test('refuses a piece in which a bit was flipped, and arms nothing', async () => {
    const release = await published();
    const device = await memoryDevice(site);
    const honest = folderMirror(site);
    const flip = flipBits();
    const hostile: typeof honest = async (path, offset, length, signal) => {
      const answer = await honest(path, offset, length, signal);
      return answer.ok ? { ok: true, value: flip(path, offset, answer.value) } : answer;
    };
    expect(code(await device.install(release.manifest, 'os', hostile, false))).toBe('integrity/segment-mismatch');
    expect(code(await device.hands.switch.arm(release.statement))).not.toBe('ok');
  });
});
