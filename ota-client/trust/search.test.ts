import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { codeFor, type DelegatedModel, type Forge, hybridForge, never, now, person, storyOf, trustIn } from './forge.fixture.ts';
import type { JsonObject } from './json.ts';
import { maxDelegationDepth, maxVisitedRoles } from './limits.ts';
import { matchesPattern } from './pattern.ts';
import { refresh } from './refresh.ts';
import { findTarget, isTargetPath } from './search.ts';
import { checkTargetFile, targetFileName } from './target-file.ts';

const delegate = (forge: Forge, name: string, parent: string, rest: Partial<DelegatedModel> = {}): void => {
  forge.delegated.set(name, { parent, keys: person(name), threshold: 1, terminating: false, paths: ['*'], ...rest });
  forge.roleTargets(name);
};
const repositoryOf = async (forge: Forge) => {
  forge.publish();
  const repository = unwrap(await refresh(trustIn(forge), now, never));
  forge.asked.length = 0;
  return repository;
};
const find = async (forge: Forge, path: string) => {
  const found = await findTarget(await repositoryOf(forge), path);
  return { story: storyOf(found), roles: found.ok ? found.value.roles.join(' → ') : undefined, asked: forge.asked.join(' ') };
};

describe('patterns (§4.5)', () => {
  test.each([
    ['*', 'a.img', true],
    ['*', 'os/a.img', false],
    ['*/*', 'os/a.img', true],
    ['os/*', 'os/a.img', true],
    ['os/*', 'os/a/b', false],
    ['*.img', 'a.img', true],
    ['*.img', 'a.img.sig', false],
    ['foo-?.tgz', 'foo-2.tgz', true],
    ['foo-?.tgz', 'foo-alpha.tgz', false],
    ['foo-?.tgz', 'foo-.tgz', false],
    ['a*b*c', 'aXXbYYbc', true],
    ['a*b*c', 'aXXbYY', false],
    ['*', '', true],
    ['?', '😀', true],
    ['*', '.hidden', false],
    ['.*', '.hidden', true],
    ['a', 'A', false],
    ['*'.repeat(40), 'x'.repeat(400), true],
    [`${'*a'.repeat(40)}b`, 'a'.repeat(400), false],
  ])('%s and %s: %s', (pattern, path, expected) => {
    expect(matchesPattern(pattern, path)).toBe(expected);
  });
});

describe('paths of targets', () => {
  test.each(['', '/a', 'a/', 'a//b', './a', 'a/../b', '..', 'a\\b', 'a\nb', 'x'.repeat(513)])('%j is none', async (path) => {
    expect(isTargetPath(path)).toBe(false);
    expect((await find(hybridForge(), path)).story).toMatch(/^protocol\/field-invalid/);
  });
});

describe('the search (§5.6.7)', () => {
  test('asks roles in the order of their delegations, depth first, those only that cover the path', async () => {
    const forge = hybridForge();
    delegate(forge, 'a', 'targets');
    delegate(forge, 'b', 'targets');
    delegate(forge, 'c', 'a');
    delegate(forge, 'd', 'a', { paths: ['other/*'] });
    const { story, asked } = await find(forge, 'x');
    expect(story).toBe('policy/target-missing: x');
    expect(asked).toBe('1.a.json 1.c.json 1.b.json');
  });

  test('takes the first role that names the target', async () => {
    const forge = hybridForge();
    delegate(forge, 'a', 'targets');
    delegate(forge, 'b', 'targets');
    forge.addTarget('b', 'x', 'by b');
    expect((await find(forge, 'x')).roles).toBe('targets → b');
    forge.addTarget('a', 'x', 'by a');
    expect((await find(forge, 'x')).roles).toBe('targets → a');
    forge.addTarget('targets', 'x', 'by targets');
    expect((await find(forge, 'x')).roles).toBe('targets');
  });

  test('a terminating delegation has the last word, with those below it', async () => {
    const forge = hybridForge();
    delegate(forge, 'a', 'targets', { terminating: true });
    delegate(forge, 'b', 'targets');
    delegate(forge, 'c', 'a');
    forge.addTarget('b', 'x', 'by b');
    expect((await find(forge, 'x')).story).toBe('policy/target-missing: x');
    forge.addTarget('c', 'x', 'by c');
    expect((await find(forge, 'x')).roles).toBe('targets → a → c');
  });

  test('a circle of delegations ends', async () => {
    const forge = hybridForge();
    delegate(forge, 'a', 'targets');
    delegate(forge, 'b', 'a');
    forge.publishTargets('a');
    forge.publishTargets('b', {
      edit: (signed) =>
        Object.assign(signed, {
          delegations: {
            keys: Object.fromEntries(person('a').map(({ id, json }) => [id, json])),
            roles: [{ name: 'a', keyids: person('a').map(({ id }) => id), threshold: 1, terminating: false, paths: ['*'] }],
          },
        }),
    });
    forge.publishTargets();
    forge.publishSnapshot();
    forge.publishTimestamp();
    const repository = unwrap(await refresh(trustIn(forge), now, never));
    expect(codeFor(await findTarget(repository, 'x'))).toBe('policy/target-missing');
  });

  test('finds by the prefix of the hash of the path', async () => {
    const forge = hybridForge();
    // SHA-256 of "x" begins 2d711642.
    delegate(forge, 'bin-1', 'targets', { paths: undefined as never, prefixes: ['00', '2d6'] });
    delegate(forge, 'bin-2', 'targets', { paths: undefined as never, prefixes: ['2d7'] });
    forge.addTarget('bin-1', 'x', 'by bin-1');
    forge.addTarget('bin-2', 'x', 'by bin-2');
    expect((await find(forge, 'x')).roles).toBe('targets → bin-2');
  });

  // The bins of these paths are those of the conformance suite for TUF clients.
  test.each([
    [1, 'boo', 'bin-0'],
    [1, 'too', 'bin-1'],
    [2, 'foo', 'bin-0'],
    [2, 'doo', 'bin-1'],
    [2, 'too', 'bin-2'],
    [2, 'bar', 'bin-3'],
    [8, 'bar', 'bin-fc'],
    [14, 'bar', 'bin-3f37'],
  ])('TAP 15: of 2^%i hash bins, %s is looked for in %s and nowhere else', async (bits, path, bin) => {
    const forge = hybridForge();
    forge.bins = { prefix: 'bin', bits, keys: person('bins'), threshold: 1 };
    forge.addTarget(bin, path, 'content');
    expect(await find(forge, path)).toEqual({ story: 'ok', roles: `targets → ${bin}`, asked: `1.${bin}.json` });
  });

  test('TAP 15: a bin has the last word, and its keys are those of all bins', async () => {
    const forge = hybridForge();
    forge.bins = { prefix: 'bin', bits: 1, keys: person('bins'), threshold: 1 };
    forge.roleTargets('bin-0');
    expect((await find(forge, 'boo')).story).toBe('policy/target-missing: boo');
    const stranger = hybridForge();
    stranger.bins = { ...forge.bins, keys: person('stranger') };
    stranger.addTarget('bin-0', 'boo', 'content');
    stranger.publish();
    stranger.bins = forge.bins;
    stranger.publishTargets();
    stranger.publishSnapshot();
    stranger.publishTimestamp();
    const repository = unwrap(await refresh(trustIn(stranger), now, never));
    expect(codeFor(await findTarget(repository, 'boo'))).toBe('integrity/custodians-missing');
  });

  test.each([
    ['of no bits', { bit_length: 0 }],
    ['of more bits than a snapshot names bins', { bit_length: 15 }],
    ['without a prefix', { name_prefix: '' }],
    ['without a threshold', { threshold: 0 }],
  ])('TAP 15: refuses hash bins %s', async (_, fields) => {
    const forge = hybridForge();
    const keys = person('bins');
    const succinct = { keyids: keys.map(({ id }) => id), threshold: 1, bit_length: 1, name_prefix: 'bin', ...fields };
    const delegations = { keys: Object.fromEntries(keys.map(({ id, json }) => [id, json])), succinct_roles: succinct };
    forge.publishTargets('targets', { edit: (signed) => Object.assign(signed, { delegations }) });
    forge.publishSnapshot();
    forge.publishTimestamp();
    expect(codeFor(await refresh(trustIn(forge), now, never))).toBe('protocol/field-invalid');
  });

  test.each([
    ['both', (all: JsonObject): JsonObject => ({ ...all, roles: [] })],
    ['neither', ({ keys }: JsonObject): JsonObject => ({ keys: keys ?? null })],
  ])('TAP 15: refuses %s roles by name and hash bins', async (_, change) => {
    const forge = hybridForge();
    forge.bins = { prefix: 'bin', bits: 1, keys: person('bins'), threshold: 1 };
    forge.publishTargets('targets', {
      edit: (signed) => Object.assign(signed, { delegations: change(signed['delegations'] as JsonObject) }),
    });
    forge.publishSnapshot();
    forge.publishTimestamp();
    expect(codeFor(await refresh(trustIn(forge), now, never))).toBe('protocol/field-invalid');
  });

  test('ends where a role cannot be loaded: it may be the one that says otherwise', async () => {
    const forge = hybridForge();
    delegate(forge, 'a', 'targets');
    delegate(forge, 'b', 'targets');
    forge.addTarget('b', 'x', 'by b');
    const repository = await repositoryOf(forge);
    forge.files.delete('1.a.json');
    expect(codeFor(await findTarget(repository, 'x'))).toBe('unavailable/not-found');
  });

  test('a role signed by the keys of another role is refused, and one with half the signatures', async () => {
    const forge = hybridForge();
    delegate(forge, 'a', 'targets');
    delegate(forge, 'b', 'targets');
    forge.addTarget('a', 'x', 'by a');
    forge.publishTargets('a', { by: person('b') });
    forge.publishTargets('b');
    forge.publishTargets();
    forge.publishSnapshot();
    forge.publishTimestamp();
    const repository = unwrap(await refresh(trustIn(forge), now, never));
    expect(codeFor(await findTarget(repository, 'x'))).toBe('integrity/custodians-missing');
  });

  test('a role that is reached by two ways is verified with the keys of each', async () => {
    const forge = hybridForge();
    delegate(forge, 'a', 'targets', { paths: ['a/*'] });
    delegate(forge, 'shared', 'targets', { paths: ['b/*'] });
    forge.addTarget('shared', 'b/x', 'shared');
    forge.publishTargets('shared');
    forge.publishTargets('a', {
      edit: (signed) =>
        Object.assign(signed, {
          delegations: {
            keys: Object.fromEntries(person('eve').map(({ id, json }) => [id, json])),
            roles: [
              { name: 'shared', keyids: person('eve').map(({ id }) => id), threshold: 1, terminating: false, paths: ['a/*'] },
            ],
          },
        }),
    });
    forge.publishTargets();
    forge.publishSnapshot();
    forge.publishTimestamp();
    const repository = unwrap(await refresh(trustIn(forge), now, never));
    expect(codeFor(await findTarget(repository, 'b/x'))).toBe('ok');
    expect(codeFor(await findTarget(repository, 'a/x'))).toBe('integrity/custodians-missing');
    expect(codeFor(await findTarget(repository, 'b/x'))).toBe('ok');
  });

  test('stops at so many roles and at such a depth', async () => {
    const wide = hybridForge();
    for (let index = 0; index < maxVisitedRoles; index++) delegate(wide, `r${index}`, 'targets', { keys: person('a') });
    expect((await find(wide, 'x')).story).toBe('resource/count-limit: x');
    const deep = hybridForge();
    for (let index = 0; index < maxDelegationDepth; index++)
      delegate(deep, `r${index}`, index === 0 ? 'targets' : `r${index - 1}`, { keys: person('a') });
    expect((await find(deep, 'x')).story).toBe('resource/count-limit: x');
  });

  test('names of roles are quoted in names of files', async () => {
    const forge = hybridForge();
    for (const name of ['?', '#', '/delegatedrole', '../delegatedrole']) delegate(forge, name, 'targets', { keys: person('a') });
    expect((await find(forge, 'x')).asked).toBe('1.%3F.json 1.%23.json 1.%2Fdelegatedrole.json 1...%2Fdelegatedrole.json');
  });
});

describe('the file of a target (§5.7)', () => {
  test('has its hash in its name, and must have its length and hashes', async () => {
    const forge = hybridForge();
    forge.addTarget('targets', 'os/x.img', 'content');
    const repository = await repositoryOf(forge);
    const found = unwrap(await findTarget(repository, 'os/x.img'));
    const hash = found.file.hashes.get('sha256');
    expect(targetFileName(repository, found)).toBe(`os/${hash}.x.img`);
    expect(codeFor(checkTargetFile(nodeCrypto, found.file, utf8('content')))).toBe('ok');
    expect(codeFor(checkTargetFile(nodeCrypto, found.file, utf8('contenT')))).toBe('integrity/target-mismatch');
    expect(codeFor(checkTargetFile(nodeCrypto, found.file, utf8('content ')))).toBe('integrity/target-mismatch');
  });

  test('all hashes that are known must match; none that is known is refused when read', async () => {
    const forge = hybridForge();
    const sha256 = nodeCrypto.hash('sha256', utf8('content'));
    const set = (hashes: Record<string, string>) => forge.roleTargets('targets').set('x', { length: 7, hashes });
    set({ sha256: Buffer.from(sha256).toString('hex'), sha512: '00'.repeat(64) });
    const found = unwrap(await findTarget(await repositoryOf(forge), 'x'));
    expect(codeFor(checkTargetFile(nodeCrypto, found.file, utf8('content')))).toBe('integrity/target-mismatch');
    set({ md5: '00'.repeat(16) });
    forge.publish();
    expect(codeFor(await refresh(trustIn(forge), now, never))).toBe('protocol/field-invalid');
  });
});
