import { describe, expect, test } from 'vitest';
import { rotatingClasses } from '#agents/hands/key-ledger';
import { keyClassNames, registry } from './registry.ts';
import { type KeyClassEntry, verbs } from './verbs.ts';

const entryOf = (name: (typeof keyClassNames)[number]): KeyClassEntry => registry[name];

describe('the registry of key classes', () => {
  test.each(keyClassNames)('says of %s where it is, and by whom and how each of the five verbs is done', (name) => {
    const entry = entryOf(name);
    expect(name).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
    for (const words of [entry.use, entry.algorithms, entry.where]) expect(words.length).toBeGreaterThan(3);
    expect(verbs).toEqual(['generation', 'protection', 'rotation', 'replacement', 'revocation']);
    for (const verb of verbs) expect(entry[verb].how, verb).toMatch(/^[A-Z].{9,}[.`]$/s);
  });

  test('says of exactly the classes that the hands rotate that a command does it here', () => {
    const rotated = keyClassNames.filter((name) => entryOf(name).rotation.hasCommand);
    expect(rotated.toSorted()).toEqual([...rotatingClasses].toSorted());
  });

  test('revokes here what this device verifies, and says what follows where the last one goes (SR-17)', () => {
    const revoked = keyClassNames.filter((name) => entryOf(name).revocation.hasCommand);
    expect(revoked).toEqual(['audit', 'report', 'verifier', 'issuer', 'account', 'intelligence', 'command']);
    for (const name of revoked) {
      const isOwn = (rotatingClasses as readonly string[]).includes(name);
      expect(entryOf(name).withoutAny === undefined, name).toBe(isOwn);
    }
  });

  test('leaves repair to its custodians: nobody at a device can keep it away (SR-12)', () => {
    for (const name of ['root', 'targets', 'os', 'repair'] as const) expect(entryOf(name).revocation.hasCommand).toBe(false);
  });
});
