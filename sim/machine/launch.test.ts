import { describe, expect, test } from 'vitest';
import { type ProgramName, programNames } from '#agents/supervisor/launch';
import { tpmProvider } from '#agents/supervisor/tpm-provider';
import { launchOf } from './launch.ts';

const parts = {
  directory: '/device',
  runDirectory: '/run',
  paths: { programs: '/programs', simPrograms: '/sim-programs', key: '/key', addon: '/tpm-sim.node', node: '/node' },
  keyLink: '/line',
};
const flagsOf = (name: ProgramName) => launchOf(name, parts, 'embedded').flags;
const switches = (name: ProgramName) => flagsOf(name).filter((flag) => !flag.includes('='));
const paths = (name: ProgramName, kind: 'read' | 'write') =>
  flagsOf(name)
    .filter((flag) => flag.startsWith(`--allow-fs-${kind}=`))
    .map((flag) => flag.slice(flag.indexOf('=') + 1))
    .sort();

describe('the seat belt of each program (SR-31)', () => {
  test.each<[ProgramName, readonly string[]]>([
    ['beacond', ['--no-warnings', '--permission', '--jitless', '--allow-addons']],
    ['hald', ['--no-warnings', '--permission', '--jitless', '--expose-gc', '--allow-addons']],
    ['linkd', ['--no-warnings', '--permission', '--jitless', '--expose-gc']],
    ['agentd', ['--no-warnings', '--permission']],
    ['inferd', ['--no-warnings', '--permission']],
    ['paged', ['--no-warnings', '--permission']],
  ])('%s has exactly these switches', (name, expected) => {
    expect(switches(name)).toEqual(expected);
  });

  test('hands, mouth and mind, through which updates pass, keep little room for new objects', () => {
    const small = programNames.filter((name) => flagsOf(name).includes('--max-semi-space-size=1'));
    expect(small).toEqual(['hald', 'linkd', 'agentd']);
  });

  test.each<[ProgramName, readonly string[]]>([
    ['hald', ['/device/firmware', '/device/hands', '/device/slots', '/device/tpm', '/run']],
    ['beacond', ['/device/beacon', '/run']],
    ['agentd', ['/device/mind', '/run']],
    ['linkd', ['/run']],
    ['inferd', ['/run']],
    ['paged', ['/run']],
  ])('%s writes its own folder and the sockets, nothing else', (name, expected) => {
    expect(paths(name, 'write')).toEqual(expected);
  });

  test.each<[ProgramName, readonly string[]]>([
    [
      'hald',
      [
        ...['/device/factory.statement', '/device/firmware', '/device/floor.json', '/device/hands', '/device/releases.json'],
        ...['/device/slots', '/device/tpm', '/proc', '/programs', '/run', '/sim-programs', '/sys', '/tpm-sim.node'],
      ],
    ],
    ['beacond', ['/device/beacon', '/device/site.json', '/line', '/proc/uptime', '/programs', '/run']],
    ['agentd', ['/device/mind', '/device/site.json', '/proc/uptime', '/programs', '/run']],
    ['linkd', ['/device/site.json', '/programs', '/run', tpmProvider.module]],
    ['inferd', ['/programs', '/run']],
    ['paged', ['/device/site.json', '/proc/uptime', '/programs', '/run']],
  ])('%s reads what it works with, nothing else', (name, expected) => {
    expect(paths(name, 'read')).toEqual(expected);
  });

  test('the mouth alone is given a provider for TPMs, and the filtered socket as the one TPM there is (SR-02)', () => {
    for (const name of programNames) {
      const { flags, environment, after } = launchOf(name, parts, 'embedded');
      const isMouth = name === 'linkd';
      expect(flags.includes('--openssl-config=/programs/linkd.cnf'), name).toBe(isMouth);
      expect(environment['TPM2OPENSSL_TCTI'], name).toBe(isMouth ? 'mssim:path=/run/tpm.sock' : undefined);
      expect(after, name).toBe(isMouth ? '/run/tpm.sock' : undefined);
    }
  });

  test('no program may start processes, workers or WASI, or is given a wildcard', () => {
    for (const name of programNames)
      for (const flag of flagsOf(name)) expect(flag, name).not.toMatch(/child-process|worker|wasi|inspector|=\*|=\/$/);
  });
});
