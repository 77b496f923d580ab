/** Which targets a device may take: by class (SR-03), by hardware, counter and floor (SR-08), by both repositories (Uptane), for repair (SR-12). */
import { describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { eligibleBundle, findBundle } from './bundle.ts';
import { directedTarget, eligibleTarget } from './eligible.ts';
import { codeFor, type Forge, hybridForge, never, now, person, startMs, storyOf, trustIn } from './forge.fixture.ts';
import type { JsonObject } from './json.ts';
import { refresh, refreshForRepair } from './refresh.ts';
import { type BundleClass, bundleClasses, type Installed } from './release.ts';
import { repairTarget } from './repair.ts';

/** An image repository with a delegation of each class, as our publisher makes it. */
const imageForge = (): Forge => {
  const forge = hybridForge();
  for (const name of bundleClasses) {
    forge.delegated.set(name, {
      parent: 'targets',
      keys: person(`${name}-keeper`),
      threshold: 1,
      terminating: true,
      paths: [`${name}/*`],
    });
    forge.roleTargets(name);
  }
  return forge;
};
const open = async (forge: Forge) => {
  forge.publish();
  return unwrap(await refresh(trustIn(forge), now, never));
};
const device: Installed = { hardwareId: 'board-1', releaseCounter: 5, floorEpoch: 2 };
const release = (rest: JsonObject = {}): JsonObject => ({ releaseCounter: 6, floorEpoch: 2, hw: ['board-1'], ...rest });

const policyClasses = ['policy', 'configuration', 'apps', 'models', 'firmware-key', 'grants'] as const;

describe.each(policyClasses)('a bundle of class %s', (name) => {
  const eligible = async (custom: JsonObject, installed = device) => {
    const forge = imageForge();
    forge.addTarget(name, `${name}/current`, 'content', custom);
    return storyOf(await eligibleBundle(await open(forge), name, `${name}/current`, installed));
  };

  test('is taken when it is newer', async () => {
    expect(await eligible(release())).toBe('ok');
    expect(await eligible({ releaseCounter: 6 }, { ...device, floorEpoch: 0 })).toBe('ok');
  });

  test('SR-08: is refused when it is older, when it is installed, for other hardware, below the floor, and without a counter', async () => {
    expect(await eligible(release({ releaseCounter: 4 }))).toBe('integrity/release-rollback: 4 after 5');
    expect(await eligible(release({ releaseCounter: 5 }))).toBe('policy/release-current: ');
    expect(await eligible(release({ hw: ['board-2'] }))).toBe('policy/hardware-mismatch: ');
    expect(await eligible(release({ floorEpoch: 1 }))).toBe('integrity/below-floor: 1 below 2');
    expect(await eligible({})).toMatch(/^protocol\/field-invalid/);
    expect(await eligible(release({ releaseCounter: '6' }))).toMatch(/^protocol\/field-invalid/);
  });

  test.each(bundleClasses.filter((other) => other !== name))(
    'SR-03: is refused when %s signed it',
    async (other: BundleClass) => {
      const forge = imageForge();
      forge.addTarget(name, `${name}/current`, 'content', release());
      forge.publishTargets(name, { by: person(`${other}-keeper`) });
      forge.publishTargets();
      forge.publishSnapshot();
      forge.publishTimestamp();
      const repository = unwrap(await refresh(trustIn(forge), now, never));
      expect(codeFor(await eligibleBundle(repository, name, `${name}/current`, device))).toBe('integrity/custodians-missing');
    },
  );

  test('is refused with one algorithm alone', async () => {
    for (const half of [0, 1]) {
      const forge = imageForge();
      forge.addTarget(name, `${name}/current`, 'content', release());
      for (const role of bundleClasses)
        forge.publishTargets(role, role === name ? { by: person(`${name}-keeper`).slice(half, half + 1) } : {});
      forge.publishTargets();
      forge.publishSnapshot();
      forge.publishTimestamp();
      const repository = unwrap(await refresh(trustIn(forge), now, never));
      expect(codeFor(await eligibleBundle(repository, name, `${name}/current`, device))).toBe('integrity/signature-missing');
    }
  });
});

describe('classes are apart', () => {
  test('a class cannot publish what belongs to another, nor the top-level targets what belongs to a class', async () => {
    const forge = imageForge();
    const policy = forge.delegated.get('policy');
    if (policy !== undefined) policy.paths = ['policy/*', 'models/*'];
    forge.addTarget('policy', 'models/current', 'content', release());
    expect(storyOf(await findBundle(await open(forge), 'models', 'models/current'))).toBe(
      'integrity/role-mismatch: models/current by targets → policy',
    );
    const top = imageForge();
    top.addTarget('targets', 'policy/current', 'content', release());
    expect(codeFor(await findBundle(await open(top), 'policy', 'policy/current'))).toBe('integrity/role-mismatch');
    expect(codeFor(await findBundle(await open(top), 'policy', 'models/current'))).toBe('integrity/role-mismatch');
  });

  test('a class that delegates further is not followed', async () => {
    const forge = imageForge();
    forge.delegated.set('helper', {
      parent: 'policy',
      keys: person('helper'),
      threshold: 1,
      terminating: false,
      paths: ['policy/*'],
    });
    forge.addTarget('helper', 'policy/current', 'content', release());
    expect(codeFor(await findBundle(await open(forge), 'policy', 'policy/current'))).toBe('integrity/role-mismatch');
  });

  test('SR-09: two classes with one key are refused', async () => {
    const forge = imageForge();
    const models = forge.delegated.get('models');
    if (models !== undefined) models.keys = person('policy-keeper');
    forge.addTarget('policy', 'policy/current', 'content', release());
    expect(storyOf(await findBundle(await open(forge), 'policy', 'policy/current'))).toBe(
      'integrity/hybrid-rule: models and policy',
    );
  });
});

const nonce = new Uint8Array(32).fill(9);
const nonceHash = toHex(nodeCrypto.hash('sha256', nonce));
const path = 'os/2026-11';

describe('director and image repository (Uptane)', () => {
  const directorForge = (custom: JsonObject, content = 'image', targetPath = path): Forge => {
    const forge = hybridForge();
    forge.expiresMs = startMs + 30 * 60_000;
    forge.addTarget('targets', targetPath, content, custom);
    return forge;
  };
  const image = async (custom = release()) => {
    const forge = imageForge();
    forge.addTarget('os', path, 'image', custom);
    return open(forge);
  };
  const eligible = async (director: Forge, custom = release(), asking = { ...device, nonce }) =>
    eligibleTarget(nodeCrypto, await open(director), await image(custom), asking);
  const directed = (rest: JsonObject = {}) => release({ nonceHash, ...rest });

  test('what both name is taken', async () => {
    const bundle = unwrap(await eligible(directorForge(directed())));
    expect(bundle?.target).toMatchObject({ path, roles: ['targets', 'os'] });
    expect(bundle?.release).toMatchObject({ releaseCounter: 6, floorEpoch: 2 });
  });

  test('nothing is an answer, signed like any other', async () => {
    const forge = hybridForge();
    forge.expiresMs = startMs + 30 * 60_000;
    expect(unwrap(await eligible(forge))).toBeUndefined();
  });

  test.each([
    ['length', directorForge(directed(), 'image and more')],
    ['hashes', directorForge(directed(), 'imagE')],
    ['hardware', directorForge(directed({ hw: ['board-1', 'board-2'] }))],
    ['release counter', directorForge(directed({ releaseCounter: 7 }))],
    ['floor epoch', directorForge(directed({ floorEpoch: 3 }))],
  ])('29: refuses another %s than the image repository has', async (what, forge) => {
    expect(storyOf(await eligible(forge))).toBe(`integrity/director-mismatch: ${what}`);
  });

  test('row 29: refuses more hashes on one side than on the other', async () => {
    const forge = directorForge(directed());
    const file = forge.roleTargets('targets').get(path);
    forge.roleTargets('targets').set(path, { ...file, hashes: { ...(file?.['hashes'] as JsonObject), 'x-hash': '00' } });
    expect(storyOf(await eligible(forge))).toBe('integrity/director-mismatch: hashes');
  });

  test('row 29: refuses what the image repository does not have', async () => {
    expect(codeFor(await eligible(directorForge(directed(), 'image', 'os/other')))).toBe('integrity/director-mismatch');
    expect(codeFor(await eligible(directorForge(directed(), 'image', 'policy/x')))).toBe('integrity/role-mismatch');
  });

  test('row 31: refuses the answer for another nonce, another device, and one for nobody', async () => {
    const forge = directorForge(directed());
    expect(codeFor(await eligible(forge, release(), { ...device, nonce: new Uint8Array(32) }))).toBe('integrity/director-nonce');
    expect(codeFor(await eligible(directorForge(release())))).toBe('integrity/director-nonce');
  });

  test('refuses an answer that lives longer than an hour, and one that has expired', async () => {
    const forge = directorForge(directed());
    forge.expiresMs = startMs + 3_600_000;
    expect(codeFor(await eligible(forge))).toBe('ok');
    forge.expiresMs = startMs + 3_601_000;
    expect(codeFor(await eligible(forge))).toBe('integrity/director-lifetime');
    forge.expiresMs = startMs;
    forge.publish();
    expect(codeFor(await refresh(trustIn(forge), now, never))).toBe('policy/metadata-expired');
  });

  test('refuses a director that delegates, and one that names two', async () => {
    const delegating = directorForge(directed());
    delegating.delegated.set('x', { parent: 'targets', keys: person('x'), threshold: 1, terminating: false, paths: ['*'] });
    delegating.roleTargets('x');
    expect(codeFor(await eligible(delegating))).toBe('integrity/director-delegates');
    const two = directorForge(directed());
    two.addTarget('targets', 'os/second', 'image', directed());
    expect(codeFor(directedTarget(nodeCrypto, await open(two), nonce))).toBe('integrity/director-mismatch');
  });

  test('the device checks every rule again: the director can only narrow', async () => {
    const both = async (custom: JsonObject) => codeFor(await eligible(directorForge({ ...custom, nonceHash }), custom));
    expect(await both(release({ releaseCounter: 4 }))).toBe('integrity/release-rollback');
    expect(await both(release({ releaseCounter: 5 }))).toBe('policy/release-current');
    expect(await both(release({ floorEpoch: 1 }))).toBe('integrity/below-floor');
    expect(await both(release({ hw: ['board-2'] }))).toBe('policy/hardware-mismatch');
  });
});

describe('SR-12: repair', () => {
  const repair = async (custom: JsonObject, installed = device, hardware = 'board-1') => {
    const forge = imageForge();
    forge.addTarget('repair', `repair/${hardware}`, 'repair image', custom);
    forge.publish();
    const repository = unwrap(await refreshForRepair(trustIn(forge), startMs, never));
    return codeFor(await repairTarget(repository, installed));
  };

  test('is found by its hardware class alone: no director, no appraisal, no clock', async () => {
    expect(await repair(release())).toBe('ok');
  });

  test('SR-08: obeys hardware, counter and floor', async () => {
    expect(await repair(release({ releaseCounter: 5 }))).toBe('policy/release-current');
    expect(await repair(release({ releaseCounter: 4 }))).toBe('integrity/release-rollback');
    expect(await repair(release({ floorEpoch: 1 }))).toBe('integrity/below-floor');
    expect(await repair(release({ hw: ['board-2'] }))).toBe('policy/hardware-mismatch');
    expect(await repair({ releaseCounter: 6, floorEpoch: 2 })).toBe('policy/hardware-mismatch');
    expect(await repair(release(), device, 'board-2')).toBe('policy/target-missing');
  });

  test('is refused when the keepers of another class signed it', async () => {
    const forge = imageForge();
    forge.addTarget('repair', 'repair/board-1', 'repair image', release());
    forge.publish();
    forge.publishTargets('repair', { by: person('os-keeper') });
    forge.publishSnapshot();
    forge.publishTimestamp();
    const repository = unwrap(await refreshForRepair(trustIn(forge), startMs, never));
    expect(codeFor(await repairTarget(repository, device))).toBe('integrity/custodians-missing');
  });
});
