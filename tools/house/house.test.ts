import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importRule, noBarrels, noCycles, noFetchInTheMouth, noTimeOrChance } from './rules.ts';
import { importsOf, projectSources, type Source } from './sources.ts';

const root = join(import.meta.dirname, '../..');
const sources = projectSources();
const fake = (path: string, text: string): Source => ({
  path,
  room: path.split('/')[0] ?? '',
  text,
  imports: importsOf(path, text),
});

/** Each rule holds for the project, and is broken by one line that should break it. */
describe('the rules of the house', () => {
  test('the sources were found', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.some(({ path }) => path === 'agents/programs/linkd.ts')).toBe(true);
  });

  test('imports point left only', () => {
    expect(importRule(sources)).toEqual([]);
    expect(importRule([fake('hal/core/x.ts', "import { decide } from '#agents/decision/decide';")])).toEqual([
      'hal/core/x.ts imports agents/decision/decide.ts: imports point left only',
    ]);
    expect(importRule([fake('attestation/x.ts', "import type { Plan } from '#ota-client/plan';")])).toHaveLength(1);
    expect(importRule([fake('agents/x.ts', "const late = await import('#tools/setup/main');")])).toHaveLength(1);
  });

  test('no file imports itself by way of others', () => {
    expect(noCycles(sources)).toEqual([]);
    const circle = [fake('hal/a.ts', "import { b } from '#hal/b';"), fake('hal/b.ts', "import { a } from './a.ts';")];
    expect(noCycles(circle)).toEqual(['cycle: hal/a.ts → hal/b.ts → hal/a.ts']);
  });

  test('time and randomness come through ports', () => {
    expect(noTimeOrChance(sources)).toEqual([]);
    for (const line of [
      'const now = Date.now();',
      'setTimeout(f, 1);',
      'Math.random();',
      'randomBytes(4);',
      'new Date();',
      "import { setTimeout } from 'node:timers/promises';",
    ])
      expect(noTimeOrChance([fake('agents/audit/x.ts', line)])).toHaveLength(1);
    expect(noTimeOrChance([fake('agents/audit/x.ts', '// Date.now() is not used here')])).toEqual([]);
  });

  test('nothing that the mouth reaches uses fetch', () => {
    expect(noFetchInTheMouth(sources)).toEqual([]);
    const mouth = [
      fake('agents/programs/linkd.ts', "import { get } from '#hal/linux/get';"),
      fake('hal/linux/get.ts', 'export const get = () => fetch(url);'),
    ];
    expect(noFetchInTheMouth(mouth)).toEqual(['hal/linux/get.ts uses fetch, and the mouth reaches it']);
  });

  test('no file only passes on what others export', () => {
    expect(noBarrels(sources)).toEqual([]);
    expect(noBarrels([fake('hal/x.ts', "export * from './y.ts';")])).toHaveLength(1);
  });
});

const run = (command: string, ...words: readonly string[]) => spawnSync(command, words, { cwd: root, encoding: 'utf8' });
const binary = (name: string) => join(root, 'node_modules/.bin', name);

describe('the tools of the house', () => {
  test('types hold', () => {
    expect(run(binary('tsc')).stdout).toBe('');
  });

  test('lint and format hold', () => {
    const { status, stdout, stderr } = run(binary('biome'), 'check', '--error-on-warnings', '.');
    expect(status === 0 ? '' : `${stdout}${stderr}`).toBe('');
  });

  test('lint refuses an import that points right', () => {
    const planted = join(root, 'hal/core/planted-by-a-test.ts');
    try {
      writeFileSync(planted, "import { decide } from '#agents/decision/decide';\n\nexport const wrong = decide;\n");
      const { status, stdout, stderr } = run(binary('biome'), 'lint', planted);
      expect(status).not.toBe(0);
      expect(`${stdout}${stderr}`).toContain('Imports point left');
    } finally {
      rmSync(planted, { force: true });
    }
  });
});

describe('the supply chain (SR-34)', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  interface Locked {
    readonly integrity?: string;
    readonly hasInstallScript?: boolean;
  }

  test('every package of the lock has a hash', () => {
    const without = Object.entries(lock.packages).filter(([name, { integrity }]) => name !== '' && integrity === undefined);
    expect(without.map(([name]) => name)).toEqual([]);
  });

  test('install scripts are on an allow-list, and each is named there', () => {
    const scripts = Object.entries(lock.packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
    const { allowScripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly allowScripts: Readonly<Record<string, boolean>>;
    };
    expect([...new Set(scripts)].sort()).toEqual(Object.keys(allowScripts).sort());
  });

  test('the pinned Node.js is the one whose hash is committed', () => {
    const { arch } = process;
    const binaryPath = join(root, `tools/node/node_modules/node-linux-${arch}/bin/node`);
    const sums = readFileSync(join(root, 'tools/node/SHA256SUMS'), 'utf8');
    expect(existsSync(binaryPath)).toBe(true);
    expect(process.execPath).toBe(binaryPath);
    expect(sums).toContain(`${createHash('sha256').update(readFileSync(binaryPath)).digest('hex')}  node-linux-${arch}`);
  });

  test('a bill of materials can be made', () => {
    const npm = join(root, 'tools/node/node_modules/npm/bin/npm-cli.js');
    const { stdout } = run(process.execPath, npm, 'sbom', '--sbom-format', 'cyclonedx');
    const bill = JSON.parse(stdout) as { readonly bomFormat: string; readonly components: readonly unknown[] };
    expect(bill.bomFormat).toBe('CycloneDX');
    expect(bill.components.length).toBeGreaterThan(50);
  });
});
