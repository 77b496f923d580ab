import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryFiles } from '#ota-client/repository/files';
import { entry, logTrust } from '#ota-client/transparency/log.fixture';
import { logFileIn } from './office-log.fixture.ts';
import { officeLog } from './office-transparency.ts';

const directory = mkdtempSync(join(tmpdir(), 'enigm-office-log-'));
afterAll(() => rmSync(directory, { recursive: true }));
let folder: string;
let number = 0;
const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const open = () => officeLog(nodeCrypto, folder, memoryFiles());

const good = logFileIn(directory);
const { witnesses } = good;
const write = (changes: object = {}) => writeFileSync(join(folder, 'log.json'), JSON.stringify({ ...good, ...changes }));

beforeEach(() => {
  folder = join(directory, `office-${number++}`);
  mkdirSync(folder);
});

describe('the log of an office', () => {
  test('is none where the folder names none', () => {
    expect(unwrap(open())).toBeUndefined();
  });

  test('says what devices are told of it', () => {
    write();
    expect(unwrap(open())?.trust).toMatchObject({ policy: 'require', origin: good.origin, threshold: 2 });
    expect(unwrap(open())?.trust.witnesses).toEqual(logTrust().witnesses);
  });

  test.each([
    ['one witness', { witnesses: witnesses.slice(0, 1) }, 'protocol/config-invalid'],
    ['the same witness twice', { witnesses: [witnesses[0], witnesses[0]] }, 'protocol/config-invalid'],
    [
      'a witness without TLS',
      { witnesses: witnesses.map((one) => ({ ...one, url: 'http://witness.example' })) },
      'protocol/config-invalid',
    ],
    ['a key that is not there', { key: join(directory, 'nobody.json') }, 'protocol/file-unreadable'],
    ['a word that is not known', { more: 1 }, 'protocol/config-invalid'],
  ])('is refused with %s', (_, changes, refused) => {
    write(changes);
    expect(code(open())).toBe(refused);
  });

  test('proves nothing while its witnesses are away; what was left out is written down', async () => {
    write();
    const log = unwrap(open());
    expect(code((await log?.transparency.record([entry('one')], [])) ?? open())).toBe('integrity/witnesses-missing');
    const release = { id: 'repair-2', class: 'repair', state: 'signed', author: 'ada' } as const;
    log?.transparency.leftOut(
      { ...release, custom: {}, reviewers: [], entries: [], permille: 0, failedOn: [], raisesFloor: false },
      'integrity/witnesses-missing',
    );
    expect(readFileSync(join(folder, 'unlogged/repair-2'), 'utf8')).toBe('integrity/witnesses-missing\n');
  });
});
