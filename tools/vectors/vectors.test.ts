import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { vectors } from './command.ts';
import { runFile } from './run.ts';

const corpora = process.env['CORPORA_DIR'] ?? resolve(import.meta.dirname, '../../../shared/corpora');

/** Frozen: passed, failed, skipped of both back ends together. What is skipped is named by the runner. */
const frozen = {
  'attestation/pq/mldsa_65_sign_seed_test.json': [108, 0, 102],
  'attestation/pq/mldsa_65_verify_test.json': [420, 0, 0],
  'attestation/pq/mlkem_768_keygen_seed_test.json': [200, 0, 0],
  'attestation/pq/mlkem_768_test.json': [386, 0, 0],
  'attestation/pq/xwing-test-vectors.json': [15, 0, 3],
  'key/cpace.json': [22, 0, 2],
  'key/framing.json': [26, 0, 12],
  'key/hpke-pq.json': [33, 0, 35],
  'key/hpke-rfc9180-x25519-chacha.json': [10, 0, 0],
  'key/noise-cacophony.json': [28, 0, 56],
  'key/wycheproof_chacha20_poly1305_test.json': [324, 0, 0],
  'key/wycheproof_ed25519_test.json': [150, 0, 0],
  'key/wycheproof_hkdf_sha256_test.json': [86, 0, 0],
  'key/wycheproof_mlkem_768_encaps_test.json': [199, 0, 67],
  'key/wycheproof_mlkem_768_test.json': [192, 0, 0],
  'key/wycheproof_x25519_test.json': [518, 0, 0],
  'key/xwing.json': [10, 0, 2],
} as const;

/** Run the command and collect what it says. */
const run = (...args: string[]) => {
  const lines: string[] = [];
  const errors: string[] = [];
  const code = vectors(args, { out: (line) => lines.push(line), error: (line) => errors.push(line) });
  return { code, lines, errors };
};

describe.each(Object.entries(frozen))('%s', (name, [passed, failed, skipped]) => {
  const file = join(corpora, name);
  test.skipIf(!existsSync(file))(`gives ${passed} passed, ${failed} failed, ${skipped} skipped`, () => {
    const { lines, code } = run(file);
    expect(lines[0]).toBe(`${file}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
    expect(code).toBe(0);
  });
});

describe('a vector file made here, of HKDF as RFC 5869 appendix A.1 has it', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'vectors-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const hkdfTest = {
    tcId: 1,
    ikm: '0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b',
    salt: '000102030405060708090a0b0c',
    info: 'f0f1f2f3f4f5f6f7f8f9',
    size: 42,
    okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    result: 'valid',
  };
  const hkdfFile = (...tests: object[]) => ({
    algorithm: 'HKDF-SHA-256',
    schema: 'hkdf_test_schema_v1.json',
    testGroups: [{ tests }],
  });
  const write = (name: string, content: unknown): string => {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };

  test('counts each test once for each back end', () => {
    const file = write('good.json', hkdfFile(hkdfTest));
    expect(run(file)).toEqual({
      code: 0,
      lines: [`${file}: 2 passed, 0 failed, 0 skipped`, 'total: 2 passed, 0 failed, 0 skipped'],
      errors: [],
    });
  });

  test('corrupted, it fails on both back ends with file, test and reason, and exits with 1', () => {
    const file = write('corrupted.json', hkdfFile({ ...hkdfTest, okm: hkdfTest.okm.replace('3cb2', '3cb3') }));
    expect(run(file)).toEqual({
      code: 1,
      lines: [
        `${file}: 0 passed, 2 failed, 0 skipped`,
        `  failed tcId 1 of ${file} on node: the output differs`,
        `  failed tcId 1 of ${file} on noble: the output differs`,
        'total: 0 passed, 2 failed, 0 skipped',
      ],
      errors: [],
    });
  });

  test('valid named invalid, or a result nobody knows, is a failure', () => {
    expect(run(write('invalid.json', hkdfFile({ ...hkdfTest, result: 'invalid' }))).code).toBe(1);
    const unknown = run(write('unknown-result.json', hkdfFile({ ...hkdfTest, result: 'acceptable' })));
    expect(unknown.code).toBe(1);
    expect(unknown.lines[1]).toContain('field result is not one of valid, invalid');
  });

  test.each([
    ['a field that is missing', hkdfFile({ ...hkdfTest, okm: undefined }), 'field okm is not text'],
    ['a field that is not hexadecimal', hkdfFile({ ...hkdfTest, salt: '0g' }), 'field salt is not hexadecimal'],
    ['no test', hkdfFile(), 'it holds no test'],
    ['no groups', { ...hkdfFile(), testGroups: 7 }, 'field testGroups is not a list'],
    ['a group that is no object', { ...hkdfFile(), testGroups: [7] }, 'not an object'],
  ])('with %s it is a failure that says so', (_name, content, reason) => {
    const { code, lines } = run(write('malformed.json', content));
    expect(code).toBe(1);
    expect(lines.join('\n')).toContain(reason);
  });

  test.each([{}, [], [1], null, 7, { algorithm: 'RSASSA-PSS', schema: 'rsassa_pss_verify_schema_v1.json' }])(
    'a file of another kind (%j) counts nothing and says so',
    (content) => {
      const file = write('other.json', content);
      expect(run(file)).toEqual({
        code: 0,
        lines: [`${file}: 0 passed, 0 failed, 0 skipped (not a kind this runner knows)`, 'total: 0 passed, 0 failed, 0 skipped'],
        errors: [],
      });
    },
  );

  test('parameters that this toolkit does not use are skipped by name', () => {
    const report = runFile('x448', {
      algorithm: 'XDH',
      schema: 'xdh_comp_schema_v1.json',
      testGroups: [{ curve: 'curve448', tests: [{ tcId: 1 }] }],
    });
    expect(report.skips).toEqual([{ reason: 'no curve448 in this toolkit', count: 2 }]);
  });

  test('expanded ML-DSA keys are skipped by name', () => {
    const report = runFile('noseed', {
      algorithm: 'ML-DSA-87',
      schema: 'mldsa_sign_noseed_schema.json',
      testGroups: [{ privateKey: '', tests: [{ tcId: 1 }] }],
    });
    expect(report.skips).toEqual([{ reason: 'keys are seeds here, never expanded private keys', count: 2 }]);
  });

  test('a directory gives every .json file beneath it, sorted, and the total of all', () => {
    const directory = join(folder, 'tree');
    for (const name of ['tree/b.json', 'tree/a/z.json', 'tree/c.json']) write(name, hkdfFile(hkdfTest));
    write('tree/notes.md', 'not JSON');
    const { lines, code } = run(directory);
    expect(code).toBe(0);
    expect(lines.map((line) => line.split(':')[0])).toEqual([
      join(directory, 'a/z.json'),
      join(directory, 'b.json'),
      join(directory, 'c.json'),
      'total',
    ]);
    expect(lines.at(-1)).toBe('total: 6 passed, 0 failed, 0 skipped');
  });

  test('--json prints one object with the same counts', () => {
    const good = write('good.json', hkdfFile(hkdfTest));
    const bad = write('bad.json', hkdfFile({ ...hkdfTest, okm: '' }));
    const { lines, code } = run('--json', good, bad);
    const reason = { test: 'tcId 1', reason: 'the output differs' };
    expect(code).toBe(1);
    expect(JSON.parse(lines.join('\n'))).toEqual({
      files: [
        { file: good, kind: 'HKDF-SHA-256', passed: 2, failed: 0, skipped: 0, skips: [], failures: [] },
        {
          file: bad,
          kind: 'HKDF-SHA-256',
          passed: 0,
          failed: 2,
          skipped: 0,
          skips: [],
          failures: [
            { ...reason, backend: 'node' },
            { ...reason, backend: 'noble' },
          ],
        },
      ],
      total: { passed: 2, failed: 2, skipped: 0 },
    });
  });

  test.each([
    ['no path', () => [], 'Name a vector file or a directory'],
    ['an unknown option', () => ['--fast'], "'--fast'"],
    ['a path that does not exist', () => [join(folder, 'absent')], 'no such file or directory'],
    ['a directory without vectors', () => [emptyDirectory(folder)], 'no .json file in this directory'],
    ['a file that is not JSON', () => [write('cut.json', '{"algorithm":')], 'is not JSON'],
  ])('%s gets one sentence and exit code 2', (_name, args, sentence) => {
    const { code, lines, errors } = run(...args());
    expect({ code, lines }).toEqual({ code: 2, lines: [] });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(sentence);
  });
});

test('--help says how results are counted and names every kind', () => {
  const { code, lines } = run('--help');
  expect(code).toBe(0);
  for (const words of ['once on node:crypto', 'exit code', 'X25519', 'ML-DSA-87 signing from a seed', 'X-Wing'])
    expect(lines.join('\n')).toContain(words);
});

test.skipIf(!existsSync(join(corpora, 'key')))('every corrupted signature, key and secret of the corpora is noticed', () => {
  for (const [name, field] of [
    ['key/wycheproof_x25519_test.json', 'shared'],
    ['key/wycheproof_ed25519_test.json', 'sig'],
    ['key/wycheproof_chacha20_poly1305_test.json', 'tag'],
  ] as const) {
    const content = JSON.parse(readFileSync(join(corpora, name), 'utf8'));
    const tests = content.testGroups.flatMap((group: { tests: Record<string, string>[] }) => group.tests);
    const valid = tests.filter((item: Record<string, string>) => item['result'] === 'valid');
    for (const item of valid) item[field] = `${item[field]?.startsWith('0') ? '1' : '0'}${item[field]?.slice(1)}`;
    expect(runFile(name, content).failed).toBe(2 * valid.length);
  }
});

const emptyDirectory = (folder: string): string => {
  const directory = join(folder, 'empty');
  mkdirSync(directory, { recursive: true });
  return directory;
};
