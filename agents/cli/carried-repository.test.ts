import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeGiven } from '#hal/core/message';
import { codeOf, unwrap } from '#hal/core/result';
import { carriedRepository } from './carried-repository.ts';

describe('a repository that is carried to a device (SR-17)', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'enigm-carried-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (path: string, bytes = 1, seconds = 1_000): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), new Uint8Array(bytes));
    utimesSync(join(folder, path), seconds, seconds);
  };
  const outcome = () => {
    const carried = carriedRepository(folder);
    return carried.ok ? 'carried' : codeOf(carried.fault);
  };
  const paths = () => unwrap(carriedRepository(folder)).files.map(({ path }) => path);

  test('is every root, the newest of each other role, and bundles: no release', () => {
    for (const path of ['timestamp.json', '1.root.json', '2.root.json', '9.snapshot.json', '10.snapshot.json', '3.policy.json'])
      write(`metadata/${path}`);
    for (const path of ['policy/aa.current', 'apps/bb.current', 'os/cc.release-2', 'payload/release-2/pieces'])
      write(`targets/${path}`);
    expect(paths().toSorted()).toEqual(
      [
        ...['timestamp.json', '1.root.json', '2.root.json', '10.snapshot.json', '3.policy.json'].map(
          (name) => `metadata/${name}`,
        ),
        ...['targets/policy/aa.current', 'targets/apps/bb.current'],
      ].toSorted(),
    );
  });

  test('is without what a file manager left in it', () => {
    for (const path of [
      'metadata/timestamp.json',
      'metadata/.DS_Store',
      'metadata/copy of 1.root.json',
      'targets/policy/.aa.swp',
    ])
      write(path);
    expect(paths()).toEqual(['metadata/timestamp.json']);
  });

  test('has the eight newest bundles of a class', () => {
    write('metadata/timestamp.json');
    for (let version = 0; version < 12; version += 1) write(`targets/policy/${version}.current`, 1, 1_000 + version);
    expect(paths().filter((path) => path.startsWith('targets/'))).toEqual(
      [11, 10, 9, 8, 7, 6, 5, 4].map((version) => `targets/policy/${version}.current`),
    );
  });

  test('is refused where it is none, and where it is more than a message holds', () => {
    expect(outcome()).toBe('unavailable/not-found');
    write('metadata/timestamp.json');
    for (const name of ['one', 'two']) write(`metadata/1.${name}.json`, 1_048_576);
    write('metadata/1.three.json', 983_039);
    expect(outcome()).toBe('carried');
    expect(encodeGiven('CarriedRepository', unwrap(carriedRepository(folder))).ok).toBe(true);
    write('metadata/1.snapshot.json');
    expect(outcome()).toBe('protocol/too-large');
  });

  test('is refused where one file is more than a message has of one', () => {
    write('metadata/timestamp.json');
    write('metadata/1.targets.json', 1_048_577);
    expect(outcome()).toBe('protocol/too-large');
  });

  test('is refused where it cannot be read', () => {
    write('metadata/timestamp.json');
    mkdirSync(join(folder, 'metadata/1.root.json'));
    expect(outcome()).toBe('unavailable/storage-failed');
  });
});
