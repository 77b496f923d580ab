import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliOffice, cliOffice } from './release.fixture.ts';

/** By the command line alone: an office, a release that is rolled out, a technician with a key. */
describe('a grant for a technician', () => {
  let office: CliOffice;
  const archive = (...words: readonly string[]) => office.desk('archive', '--out', office.at('out.tar'), ...words);
  const technician = ['--offer', 'release-2', '--key'] as const;
  const bounds = ['--hardware', 'board-1', '--first', '2', '--last', '3', '--author', 'ada'] as const;
  const grant = (id: string, ...words: readonly string[]) =>
    office.desk('grant', id, ...bounds, '--technician', office.at('tess.public.json'), ...words);

  beforeAll(async () => {
    office = await cliOffice();
    await office.add('release-2', '--counter', '2');
    await office.review('release-2', 'bea');
    await office.signImage('release-2');
    const references = await office.referencesOf('release-2');
    await office.stage('release-2', references);
    const share = ['--by', 'pat', '--permille', '1000', '--references', office.at(references)];
    expect((await office.desk('promote', 'release-2', ...share)).code).toBe('ok');
    const files = ['--out', office.at('tess.json'), '--public', office.at('tess.public.json')];
    expect((await office.release('key', 'tess', '--role', 'technician', ...files)).code).toBe('ok');
  });
  afterAll(() => office.remove());

  test('is drafted, reviewed by somebody else, signed by two who see what it says, and published', async () => {
    expect((await archive(...technician, office.at('tess.json'))).code).toBe('policy/grant-missing');
    expect((await grant('grant-1', '--uses', '2', '--days', '3')).json).toMatchObject({ class: 'grants', state: 'draft' });
    expect((await office.review('grant-1', 'ada')).code).toBe('policy/review-missing');
    expect((await office.review('grant-1', 'bea')).code).toBe('ok');
    const { json } = await office.desk('request', 'grant-1', '--out', office.at('request'));
    expect(json['asks']).toContainEqual(expect.stringMatching(/tess may name releases 2 to 3, 2 on one device$/));
    expect((await office.signBy('grant-1', 'os-first', 'os-second')).code).toBe('integrity/role-mismatch');
    expect((await office.signBy('grant-1', 'grants-first')).json).toMatchObject({ waitingFor: ['grants-second'] });
    expect((await office.signBy('grant-1', 'grants-first', 'grants-second')).json).toMatchObject({ state: 'signed' });
    expect((await archive(...technician, office.at('tess.json'))).code).toBe('policy/grant-missing');
    expect((await office.stage('grant-1', 'none')).json).toMatchObject({ state: 'staged' });
  });

  test('lets that technician say in an archive what a device is to take', async () => {
    expect((await archive(...technician, office.at('tess.json'))).code).toBe('ok');
    const listed = execFileSync('tar', ['-tf', office.at('out.tar')], { encoding: 'utf8' })
      .trim()
      .split('\n');
    expect(listed.filter((name) => /^(?:director|targets\/grants)\//.test(name))).toEqual([
      'director/board-1.json',
      expect.stringMatching(/^targets\/grants\/[0-9a-f]{64}\.board-1$/),
    ]);
  });

  test.each([
    ['a release without a key', ['--offer', 'release-2'], 'protocol/config-invalid'],
    ['the key of a custodian', ['--offer', 'release-2', '--key', 'keys/grants-first.json'], 'integrity/role-mismatch'],
    ['a release that is not offered', ['--offer', 'grant-1', '--key', 'tess.json'], 'protocol/event-refused'],
  ])('carries nothing for %s', async (_, words, refusal) => {
    const out = office.at('refused.tar');
    const placed = words.map((word) => (word.endsWith('.json') ? office.at(word) : word));
    expect((await office.desk('archive', '--out', out, ...placed)).code).toBe(refusal);
    expect(existsSync(out)).toBe(false);
  });

  test('gives way to the next one of its hardware, and goes with it', async () => {
    expect((await grant('grant-2', '--days', '1')).code).toBe('ok');
    await office.review('grant-2', 'bea');
    await office.signBy('grant-2', 'grants-first', 'grants-second');
    expect((await office.stage('grant-2', 'none')).code).toBe('ok');
    expect((await archive(...technician, office.at('tess.json'))).code).toBe('ok');
    for (const id of ['grant-1', 'grant-2']) expect((await office.desk('revoke', id, '--by', 'pat')).code).toBe('ok');
    const withdrawn = await office.desk('request', 'grant-2', '--out', office.at('request'));
    expect(withdrawn.json['asks']).toContainEqual('  names nothing');
    await office.signBy('grant-2', 'grants-first', 'grants-second');
    expect((await office.stage('grant-2', 'none')).json).toMatchObject({ state: 'withdrawn' });
    expect((await archive(...technician, office.at('tess.json'))).code).toBe('policy/grant-missing');
  });
});
