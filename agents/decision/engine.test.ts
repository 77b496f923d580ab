/** The engine as a device has it: bundled, with what the build kept of its memory. `make` builds that before any test runs. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Result } from '#hal/core/result';
import type { EngineAnswer } from './engine.ts';
import { keptMemoryName } from './engine-memory.ts';

const root = join(import.meta.dirname, '../..');

/** Programs that have the engine: one decides, out of what is kept where it is given some; one keeps what it made, one takes it. */
const programs = {
  decides: `
    import { readFileSync } from 'node:fs';
    import { actionNames, resources } from '#agents/decision/actions';
    import { cedarEngine } from '#agents/decision/engine';
    import { unwrap } from '#hal/core/result';
    const good = {
      actor: { subject: 'aa', assurance: 'multi-factor' },
      session: { subject: 'aa', handle: 'h1', state: 'open', recovery: 'none', permission: 'granted' },
      handle: { handle: 'h1', epoch: 1 },
      osTrust: { lifecycle: 'active', areProgramsHealthy: true, isTimeKnown: true },
      posture: { level: 1 },
      policy: { digest: 'd' },
      integrity: { boot: 'verified', release: 'verified', audit: 'intact' },
      attestation: { status: 'affirming' },
      intelligence: { category: 'none' },
    };
    const without = Object.keys(good).map((name) => ({ ...good, [name]: undefined }));
    const assured = ['single-factor', 'administrator', 'intelligence-service', 'health-gate'].map((assurance) => ({ ...good, actor: { subject: 'aa', assurance } }));
    const levels = [0, 2, 3, -1, 1.5].map((level) => ({ ...good, posture: { level } }));
    const run = async () => {
      const engine = unwrap(await cedarEngine(process.argv[2] === undefined ? undefined : new Uint8Array(readFileSync(process.argv[2]))));
      const answers = [good, ...without, ...assured, ...levels].flatMap((facts) =>
        [...actionNames, 'unknown'].flatMap((action) => resources.map((resource) => engine({ action, resource, facts }))));
      console.log(JSON.stringify(answers));
    };
    void run();`,
  keeps: `
    import { writeFileSync } from 'node:fs';
    import { loadCedar, policyName } from '#agents/decision/cedar';
    import { keptMemory } from '#agents/decision/engine-memory';
    import { policyDigest, schema } from '#agents/decision/policy';
    const run = async () => {
      const { cedar, instance } = await loadCedar();
      const before = new Uint8Array(instance.memory.buffer).slice();
      cedar.preparseSchema(policyName, schema);
      cedar.preparsePolicySet(policyName, { staticPolicies: { all: 'permit (principal, action, resource);' } });
      writeFileSync(process.argv[2], keptMemory(instance, before, [instance.digest, policyDigest]));
    };
    void run();`,
  restores: `
    import { readFileSync } from 'node:fs';
    import { loadCedar } from '#agents/decision/cedar';
    import { restoreMemory } from '#agents/decision/engine-memory';
    import { policyDigest } from '#agents/decision/policy';
    const run = async () => {
      const { instance } = await loadCedar();
      console.log(restoreMemory(instance, new Uint8Array(readFileSync(process.argv[2])), policyDigest));
    };
    void run();`,
} as const;

describe('the engine of a device', () => {
  const device = join(root, 'dist/device');
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'enigm-engine-'));
    copyFileSync(join(device, 'cedar_wasm_bg.wasm'), join(folder, 'cedar_wasm_bg.wasm'));
    for (const [name, contents] of Object.entries(programs))
      await build({
        ...{ stdin: { contents, resolveDir: root, loader: 'ts' }, outfile: join(folder, `${name}.cjs`), logLevel: 'error' },
        ...{ bundle: true, platform: 'node', format: 'cjs', target: 'node24' },
      });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const runIn = (where: string, name: keyof typeof programs, ...words: readonly string[]) => {
    const { stdout, stderr } = spawnSync(process.execPath, [join(where, `${name}.cjs`), ...words], { encoding: 'utf8' });
    return stdout === '' ? stderr : stdout;
  };
  const run = (name: keyof typeof programs, ...words: readonly string[]) => runIn(folder, name, ...words);

  test('takes what the build kept', () => {
    expect(run('restores', join(device, keptMemoryName))).toBe('true\n');
  });

  test.each([
    ['among its functions', 3_500_000],
    ['in its digest', -1],
  ])('that has another byte %s is refused when it loads: the program goes on without (SR-12)', (_, at) => {
    const where = mkdtempSync(join(tmpdir(), 'enigm-damaged-'));
    copyFileSync(join(folder, 'decides.cjs'), join(where, 'decides.cjs'));
    const engine = new Uint8Array(readFileSync(join(device, 'cedar_wasm_bg.wasm')));
    writeFileSync(join(where, 'cedar_wasm_bg.wasm'), engine.with(at, 0xff ^ (engine.at(at) ?? 0)));
    for (const words of [[], [join(device, keptMemoryName)]])
      expect(runIn(where, 'decides', ...words)).toContain('policy/engine-failed: the policy engine is damaged');
    rmSync(where, { recursive: true });
  });

  test('decides by what the build kept as by what it reads itself', () => {
    const read = run('decides');
    expect(run('decides', join(device, keptMemoryName))).toBe(read);
    const answers = JSON.parse(read) as readonly Result<EngineAnswer>[];
    const counted = (is: (answer: Result<EngineAnswer>) => boolean) => answers.filter(is).length;
    expect(counted((answer) => answer.ok && answer.value.isAllowed)).toBeGreaterThan(50);
    expect(counted((answer) => answer.ok && !answer.value.isAllowed)).toBeGreaterThan(200);
    expect(counted((answer) => !answer.ok)).toBeGreaterThan(50);
  });

  test('reads nothing where it was given what is kept, and reads itself what does not fit', () => {
    const generous = join(folder, 'generous.memory');
    run('keeps', generous);
    const allowed = (kept: string) =>
      (JSON.parse(run('decides', kept)) as readonly Result<EngineAnswer>[])
        .filter((answer) => answer.ok)
        .every((answer) => answer.value.isAllowed);
    expect(allowed(generous)).toBe(true);
    const other = readFileSync(generous);
    other.writeUInt8(other.readUInt8(40) ^ 1, 40);
    writeFileSync(generous, other);
    expect(allowed(generous)).toBe(false);
  });
});
