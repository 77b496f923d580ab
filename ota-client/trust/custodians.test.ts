import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { toHex, utf8 } from '#hal/core/bytes';
import { nobleCrypto } from '#hal/crypto/noble';
import { nodeCrypto } from '#hal/crypto/node';
import {
  codeFor,
  ed25519Key,
  Forge,
  hybridForge,
  mlDsaKey,
  mlDsaRawKey,
  never,
  now,
  person,
  type RoleModel,
  type SignOptions,
  storyOf,
  type TestKey,
  trustIn,
} from './forge.fixture.ts';
import type { Json, JsonObject } from './json.ts';
import { ruleField, type TopRole } from './metadata.ts';
import { refresh } from './refresh.ts';

const update = (forge: Forge) => refresh(trustIn(forge), now, never);
const [adaClassical, adaPostQuantum] = person('ada') as [TestKey, TestKey];

/** Publish everything anew, with `options` for one role. */
const publishWith = (forge: Forge, role: TopRole, options: SignOptions): void => {
  if (role === 'root') forge.publishRoot(options);
  forge.publishTargets('targets', role === 'targets' ? options : {});
  forge.publishSnapshot(role === 'snapshot' ? options : {});
  forge.publishTimestamp(role === 'timestamp' ? options : {});
};

const roles = ['root', 'timestamp', 'snapshot', 'targets'] as const;

describe.each(roles)('SR-09: %s', (role) => {
  const custodians = role === 'root' || role === 'targets' ? ['ada', 'bea'] : ['ci'];
  const others = custodians.slice(1).flatMap(person);
  const [classical, postQuantum] = person(custodians[0] ?? '') as [TestKey, TestKey];
  const story = async (by: readonly TestKey[]) => {
    const forge = hybridForge();
    publishWith(forge, role, { by });
    return storyOf(await update(forge));
  };

  test('is trusted when the threshold of custodians signed with both algorithms', async () => {
    expect(await story(custodians.flatMap(person))).toBe('ok');
    expect(await story(['ada', 'bea', 'cyd', 'ci', 'stranger'].flatMap(person))).toBe('ok');
  });

  test('row 26: names the algorithm that is missing, in either direction', async () => {
    const name = `${role}: ${custodians[0]}`;
    expect(await story([classical, ...others])).toBe(`integrity/signature-missing: ${name}, post-quantum`);
    expect(await story([postQuantum, ...others])).toBe(`integrity/signature-missing: ${name}, classical`);
  });

  test('row 26: names the algorithm whose signature is wrong, in either direction', async () => {
    const name = `${role}: ${custodians[0]}`;
    const wrong = (key: TestKey): TestKey => ({ ...key, sign: (canonical) => key.sign(utf8(`${toHex(canonical)} other`)) });
    expect(await story([classical, wrong(postQuantum), ...others])).toBe(`integrity/signature-invalid: ${name}, post-quantum`);
    expect(await story([wrong(classical), postQuantum, ...others])).toBe(`integrity/signature-invalid: ${name}, classical`);
  });

  test('refuses fewer custodians than its threshold, and signatures of strangers', async () => {
    expect(await story(others)).toMatch(/^integrity\/custodians-missing/);
    expect(await story([...others, ...person('stranger')])).toMatch(/^integrity\/custodians-missing/);
  });

  test('row 28: refuses every classical signature without one that is post-quantum', async () => {
    const forge = hybridForge();
    const keys = forge.top[role].keys.filter(({ json }) => json['keytype'] === 'ed25519');
    expect(await story(keys)).toMatch(/^integrity\/signature-missing/);
  });
});

describe('27: one custodian is one', () => {
  const withRoot = async (root: RoleModel, edit?: SignOptions['edit']) => {
    const forge = hybridForge();
    const old = forge.top.root.keys;
    forge.top.root = root;
    forge.publishRoot({ by: [...new Set([...old, ...root.keys])], ...(edit === undefined ? {} : { edit }) });
    forge.publish();
    return storyOf(await update(forge));
  };

  test('halves of two custodians are nobody', async () => {
    const forge = hybridForge();
    forge.publishTargets('targets', { by: [adaClassical, ...person('bea').slice(1), ...person('cyd')] });
    forge.publishSnapshot();
    forge.publishTimestamp();
    expect(codeFor(await update(forge))).toBe('integrity/signature-missing');
  });

  test('refuses a second key of one algorithm for one custodian', async () => {
    const second = ed25519Key('ada at home', 'ada');
    expect(await withRoot({ keys: [adaClassical, second, adaPostQuantum], threshold: 1 })).toBe(
      'integrity/hybrid-rule: root: a second key of ada',
    );
  });

  test('row 27: refuses one key under two ids', async () => {
    const alias: TestKey = { ...adaClassical, id: 'alias' };
    expect(await withRoot({ keys: [adaClassical, alias, adaPostQuantum], threshold: 1 })).toMatch(/^integrity\/hybrid-rule/);
  });

  test('row 27: refuses one key under two names', async () => {
    const shadow = [ed25519Key('ada', 'shadow'), mlDsaKey('ada', 'shadow')];
    expect(await withRoot({ keys: [...person('ada'), ...shadow], threshold: 2 })).toBe(
      'integrity/hybrid-rule: root: a second key of shadow',
    );
  });

  test('refuses a custodian without one of the keys, a key without a custodian, and a threshold out of reach', async () => {
    expect(await withRoot({ keys: [adaClassical, ...person('bea')], threshold: 1 })).toBe(
      'integrity/hybrid-rule: root: ada has no post-quantum key',
    );
    expect(await withRoot({ keys: [adaPostQuantum, ...person('bea')], threshold: 1 })).toBe(
      'integrity/hybrid-rule: root: ada has no classical key',
    );
    expect(await withRoot({ keys: [ed25519Key('nobody'), ...person('bea')], threshold: 1 })).toMatch(/has no custodian$/);
    expect(await withRoot({ keys: ['ada', 'bea'].flatMap(person), threshold: 3 })).toBe(
      'integrity/hybrid-rule: root: 2 custodians cannot reach 3',
    );
  });

  test('leaves out keys of schemes that it does not know, so that a root may bring new ones', async () => {
    const future: TestKey = {
      ...ed25519Key('future'),
      id: 'future',
      json: { keytype: 'x', scheme: 'x/9', keyval: { public: 'x' } },
    };
    expect(await withRoot({ keys: [...['ada', 'bea'].flatMap(person), future], threshold: 2 })).toBe('ok');
    const keyless: TestKey = {
      ...future,
      json: { keytype: 'sigstore-oidc', scheme: 'Fulcio', keyval: { identity: 'a@b.example', issuer: 'https://c.example' } },
    };
    expect(await withRoot({ keys: [...['ada', 'bea'].flatMap(person), keyless], threshold: 2 })).toBe('ok');
  });
});

describe('28: the rule stays', () => {
  const dropped = async (by: (forge: Forge) => readonly TestKey[], value: Json | undefined) => {
    const forge = hybridForge();
    const edit = (signed: Record<string, Json>) => {
      if (value === undefined) delete signed[ruleField];
      else signed[ruleField] = value;
    };
    forge.publishRoot({ by: by(forge), edit });
    return codeFor(await update(forge));
  };

  test('row 28: a root that drops it is refused with classical signatures alone, and with all of them', async () => {
    const classical = (forge: Forge) => forge.top.root.keys.filter(({ json }) => json['keytype'] === 'ed25519');
    expect(await dropped(classical, undefined)).toBe('integrity/signature-missing');
    expect(await dropped((forge) => forge.top.root.keys, undefined)).toBe('integrity/hybrid-rule');
    expect(await dropped((forge) => forge.top.root.keys, 'custodians/0')).toBe('integrity/hybrid-rule');
  });

  test('a root in the image without it is refused as well', async () => {
    const role = (name: string): RoleModel => ({ keys: person(name), threshold: 1 });
    const top = { root: role('ada'), timestamp: role('ci'), snapshot: role('ci'), targets: role('ada') };
    const forge = new Forge(top, false);
    forge.publishRoot();
    forge.publish();
    expect(codeFor(await update(forge))).toBe('integrity/hybrid-rule');
  });
});

describe('a key of another type than it says', () => {
  const spki = (type: 'ed448' | 'ed25519' | 'ml-dsa-65' | 'ml-dsa-44'): string =>
    generateKeyPairSync(type as 'ed25519')
      .publicKey.export({ type: 'spki', format: 'pem' })
      .toString();
  const withKey = async (json: JsonObject) => {
    const forge = hybridForge();
    const strange: TestKey = { ...adaClassical, id: 'strange', json: { ...json, 'x-enigm-custodian': 'eve' } };
    forge.top.timestamp = { keys: [strange, ...person('ci')], threshold: 1 };
    forge.publishRoot();
    forge.publish();
    return codeFor(await update(forge));
  };
  const key = (keytype: string, scheme: string, text: string): JsonObject => ({ keytype, scheme, keyval: { public: text } });
  const raw = toHex(nodeCrypto.ed25519.publicKey(new Uint8Array(32)));

  test.each([
    ['an ML-DSA key declared as Ed25519', () => key('ed25519', 'ed25519', spki('ml-dsa-65'))],
    ['an Ed448 key declared as Ed25519', () => key('ed25519', 'ed25519', spki('ed448'))],
    ['an Ed25519 key in PEM', () => key('ed25519', 'ed25519', spki('ed25519'))],
    ['an Ed25519 key that is too short', () => key('ed25519', 'ed25519', raw.slice(2))],
    ['an Ed25519 key of type ML-DSA', () => key('ml-dsa', 'ed25519', raw)],
    ['an Ed25519 key declared as ML-DSA-65', () => key('ml-dsa', 'ml-dsa-65/1', spki('ed25519'))],
    ['an ML-DSA-44 key declared as ML-DSA-65', () => key('ml-dsa', 'ml-dsa-65/1', spki('ml-dsa-44'))],
    [
      'an ML-DSA-65 key under another identifier',
      () => key('ml-dsa', 'ml-dsa-65/1', spki('ml-dsa-65').replace('ZQMEAxI', 'ZQMEAxM')),
    ],
    ['an ML-DSA-65 key in hexadecimal', () => key('ml-dsa', 'ml-dsa-65/1', '00'.repeat(1952))],
    ['an ML-DSA-65 key without its armour', () => key('ml-dsa', 'ml-dsa-65/1', spki('ml-dsa-65').replaceAll('-', ''))],
    ['an ML-DSA-65 key of type Ed25519', () => key('ed25519', 'ml-dsa-65/1', spki('ml-dsa-65'))],
  ])('is refused: %s', async (_, json) => {
    expect(await withKey(json())).toBe('integrity/key-scheme');
  });

  test('TAP 21: what OpenSSL writes for an ML-DSA-65 key is what we read, and its scheme is exactly one', async () => {
    expect(await withKey(key('ml-dsa', 'ml-dsa-65/1', spki('ml-dsa-65')))).toBe('integrity/hybrid-rule'); // eve has no classical key
    expect(await withKey(key('ml-dsa', 'ml-dsa-65/2', spki('ml-dsa-65')))).toBe('ok'); // a scheme that is not known counts for nobody
  });

  test('TAP 21: two implementations verify the same repository', async () => {
    expect(codeFor(await refresh({ ...trustIn(hybridForge()), crypto: nobleCrypto }, now, never))).toBe('ok');
  });

  test('TAP 21: a signature over the canonical JSON itself is none', async () => {
    const forge = hybridForge();
    forge.top.timestamp = { keys: [...person('ci').slice(0, 1), mlDsaRawKey('ci', 'ci')], threshold: 1 };
    forge.publishRoot();
    forge.publish();
    expect(codeFor(await update(forge))).toBe('integrity/signature-invalid');
  });
});
