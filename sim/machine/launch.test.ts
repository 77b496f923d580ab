import { describe, expect, test } from 'vitest';
import { type ProgramName, programNames } from '#agents/supervisor/launch';
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
    ['hald', ['--no-warnings', '--permission', '--jitless', '--allow-addons']],
    ['linkd', ['--no-warnings', '--permission', '--jitless']],
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
        ...['/device/firmware', '/device/hands', '/device/releases.json', '/device/slots', '/device/tpm', '/proc'],
        ...['/programs', '/run', '/sim-programs', '/sys', '/tpm-sim.node'],
      ],
    ],
    ['beacond', ['/device/beacon', '/device/site.json', '/line', '/proc/uptime', '/programs', '/run']],
    ['agentd', ['/device/mind', '/device/site.json', '/proc/uptime', '/programs', '/run']],
    ['linkd', ['/device/site.json', '/programs', '/run']],
    ['inferd', ['/programs', '/run']],
    ['paged', ['/device/site.json', '/proc/uptime', '/programs', '/run']],
  ])('%s reads what it works with, nothing else', (name, expected) => {
    expect(paths(name, 'read')).toEqual(expected);
  });

  test('no program may start processes, workers or WASI, or is given a wildcard', () => {
    for (const name of programNames)
      for (const flag of flagsOf(name)) expect(flag, name).not.toMatch(/child-process|worker|wasi|inspector|=\*|=\/$/);
  });
});
