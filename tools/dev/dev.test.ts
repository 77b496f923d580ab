import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { programBuilds } from './programs.ts';
import { watchFolders } from './watch.ts';

const folder = mkdtempSync(join(tmpdir(), 'enigm-dev-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test('a program is built again where a source of it changed, and is new only where its bytes are', async () => {
  const part = write('part.ts', "export const word = 'one';");
  const entry = write('entry.ts', "import { word } from './part.ts';\nconsole.log(word);");
  const other = write('other.ts', "console.log('other');");
  await using builds = await programBuilds({ entry, other });
  expect((await builds.build()).map(({ name }) => name)).toEqual(['entry', 'other']);
  expect(await builds.build(new Set([join(folder, 'nobody.ts')]))).toEqual([]);

  write('part.ts', "export const word = 'two';");
  const [fresh, ...more] = await builds.build(new Set([part]));
  expect(fresh?.name).toBe('entry');
  expect(more).toEqual([]);
  expect(Buffer.from(fresh?.bytes ?? []).toString()).toContain('two');
  write('part.ts', "export const word = 'two'; // a word to readers");
  expect(await builds.build(new Set([part]))).toEqual([]);
});

test('a source that does not build throws, and is built when it is mended', async () => {
  const entry = write('broken.ts', 'console.log(1)');
  await using builds = await programBuilds({ entry });
  await builds.build();
  write('broken.ts', 'console.log(');
  await expect(builds.build(new Set([entry]))).rejects.toThrow('Build failed');
  write('broken.ts', 'console.log(2)');
  expect(await builds.build(new Set([entry]))).toHaveLength(1);
});

test('a file is noticed when it is written and when it is replaced, each time again', async () => {
  mkdirSync(join(folder, 'watched/deep'), { recursive: true });
  const path = write('watched/deep/file', 'one');
  using watch = watchFolders([join(folder, 'watched')], () => 7);
  expect(watch.changes()).toBeUndefined();
  for (const change of [
    () => writeFileSync(path, 'two'),
    ...[3, 4].map((text) => () => {
      writeFileSync(join(folder, 'new'), String(text));
      renameSync(join(folder, 'new'), path);
    }),
  ]) {
    change();
    const changes = await vi.waitUntil(() => watch.changes(), { timeout: 5_000 });
    expect(changes).toEqual({ paths: new Set([path]), noticedMs: 7 });
  }
});
