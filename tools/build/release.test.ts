/** Scans what was built; `make` builds it before any test runs. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { foreignToTheMouth, type SimulatorWord, simulatorSourcesIn, simulatorWordsIn, withoutTheRuleIn } from './release.ts';

const root = join(import.meta.dirname, '../..');
const record = join(root, 'dist/inputs.json');
if (!existsSync(record)) throw new Error('nothing is built: run make unit');
const inputs = JSON.parse(readFileSync(record, 'utf8')) as Readonly<Record<string, readonly string[]>>;
const inputsOf = (bundle: string) => inputs[bundle] ?? [];
const bytesOf = (bundle: string) => new Uint8Array(readFileSync(join(root, bundle)));

const bundles = ['dist/device', 'dist/recovery'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.cjs'))
    .map((name) => `${folder}/${name}`),
);
const programs = bundles.filter((bundle) => !bundle.endsWith('/enigmctl.cjs'));

/** Words that stand in a bundle for another reason than a simulator. */
const explained: Readonly<Record<string, readonly SimulatorWord[]>> = {
  // The filter of SR-02 serves the framing of that name.
  'dist/device/hald.cjs': ['mssim'],
  // And the mouth is started with it as the one way to a TPM.
  'dist/device/supervisord.cjs': ['mssim'],
  // `doctor` names Debian packages.
  'dist/device/enigmctl.cjs': ['swtpm', 'libtpms'],
};

describe('a release (SR-04)', () => {
  test('has the programs that ship, each with its list of sources', () => {
    expect(bundles.length).toBeGreaterThanOrEqual(6);
    for (const bundle of bundles) expect(inputsOf(bundle).length, bundle).toBeGreaterThan(1);
    expect(inputsOf('dist/device/hald.cjs')).toContain('hal/native/esys.ts');
    expect(inputsOf('dist/device/linkd.cjs')).toContain('hal/linux/https-exchange.ts');
  });

  test.each(bundles)('%s has no source of the simulator, of tests, or of an adapter in memory', (bundle) => {
    expect(simulatorSourcesIn(inputsOf(bundle))).toEqual([]);
  });

  test.each(bundles)('%s has no word of a software TPM that is not explained', (bundle) => {
    expect(simulatorWordsIn(bytesOf(bundle))).toEqual(explained[bundle] ?? []);
  });

  test.each(programs)('%s asks the environment nothing: libraries of Node alone read it', (bundle) => {
    const own = inputsOf(bundle).filter((input) => !input.startsWith('node_modules/'));
    expect(own.filter((input) => readFileSync(join(root, input), 'utf8').includes('process.env'))).toEqual([]);
  });

  test('the same scan finds all of it in the simulator', () => {
    const hands = 'dist/sim/hald.cjs';
    expect(simulatorSourcesIn(inputsOf(hands))).toEqual(
      expect.arrayContaining(['hal/native/esys-sim.ts', 'sim/machine/firmware.ts', 'sim/programs/hald.ts']),
    );
    expect(simulatorWordsIn(bytesOf(hands))).toEqual(expect.arrayContaining(['swtpm', 'socket-path', 'socket-tcp']));
    expect(simulatorSourcesIn(['hal/memory/clock.ts', 'hal/memory/random.ts', 'agents/page/x.fixture.ts'])).toHaveLength(3);
  });
});

describe('the custodian rule (SR-09)', () => {
  test.each(bundles)('%s has no line of the client that does not know it', (bundle) => {
    expect(withoutTheRuleIn(inputsOf(bundle))).toEqual([]);
  });

  test('the same scan finds it where it belongs', () => {
    expect(withoutTheRuleIn(inputsOf('dist/interoperability/tuf-client.cjs'))).toContain(
      'ota-client/interoperability/plain-threshold.ts',
    );
  });
});

describe('the beacon relay (SR-11)', () => {
  test('has nothing of the TPM, of decisions or of the audit log, and loads the one addon that lies beside it', () => {
    expect(foreignToTheMouth(inputsOf('dist/device/beacond.cjs'))).toEqual([]);
    expect(inputsOf('dist/device/beacond.cjs')).toContain('tools/build/serial-addon.cjs');
    expect(existsSync(join(root, 'dist/device/serialport.node'))).toBe(true);
  });

  test('has no line of what knows posture, policy, lifecycle, audit or an engine: whatever they say, it is not asked', () => {
    const mattersOfState =
      /^agents\/(?:mind|decision|posture|policy|audit|update|defense|management\/(?:lifecycle|order|state|transition))/;
    expect(inputsOf('dist/device/beacond.cjs').filter((path) => mattersOfState.test(path))).toEqual([]);
    expect(inputsOf('dist/device/agentd.cjs').filter((path) => mattersOfState.test(path))).not.toEqual([]);
  });
});

describe('recovery (SR-33)', () => {
  test('has nothing of the TPM, of keys of the device or of its data, and can load no addon', () => {
    const recovery = 'dist/recovery/recover.cjs';
    expect(inputsOf(recovery)).toContain('agents/recovery/repair.ts');
    expect(inputsOf(recovery).filter((path) => /^hal\/(?:tpm|native)\/|^agents\/(?:data|keys|mind|hands)\//.test(path))).toEqual(
      [],
    );
    for (const word of ['dlopen', '/dev/tpm', 'Esys', 'cryptsetup'])
      expect(Buffer.from(bytesOf(recovery)).includes(word), word).toBe(false);
  });
});

describe('the mouth (SR-02)', () => {
  const mouth = 'dist/device/linkd.cjs';
  test('has nothing of the TPM, of decisions or of the audit log, and can load no addon', () => {
    expect(foreignToTheMouth(inputsOf(mouth))).toEqual([]);
    for (const word of ['dlopen', '/dev/tpm', 'Esys', 'cedar'])
      expect(Buffer.from(bytesOf(mouth)).includes(word), word).toBe(false);
  });

  test('is told apart by the same scan from the hands and from the mind', () => {
    expect(foreignToTheMouth(inputsOf('dist/device/hald.cjs'))).toContain('hal/native/tpm.ts');
    expect(foreignToTheMouth(inputsOf('dist/device/agentd.cjs'))).toContain('agents/decision/decide.ts');
    expect(Buffer.from(bytesOf('dist/device/hald.cjs')).includes('dlopen')).toBe(true);
  });
});
