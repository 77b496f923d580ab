import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findRunning } from './running.ts';
import { nothingIsLeft, processesOf, simulate, socketsOf, startSimulator, temporaryHome } from './simulator.fixture.ts';

interface State {
  readonly isRunning: boolean;
  readonly processId: number;
  readonly page: string;
}
const isAnnounced = (home: string) => findRunning(home).state === 'running';
const isReady = (home: string) => {
  const found = findRunning(home);
  return found.state === 'running' && found.running.isReady;
};
const stateOf = ({ out }: { readonly out: string }) => JSON.parse(out) as State;

describe('the simulator as a service', () => {
  test('says what it can do, and what it was given that it cannot use', async () => {
    const help = await simulate('--help');
    expect(help.code).toBe(0);
    for (const command of ['day', 'up', 'status', 'logs', 'down']) {
      expect(help.out).toMatch(new RegExp(`^  ${command} `, 'm'));
      const own = await simulate(command, '--help');
      expect(own.code, command).toBe(0);
      expect(own.out, command).toContain(`Usage: enigm-sim ${command}`);
      expect(own.out, command).toContain('--json');
    }
    for (const words of [
      ['nosuch'],
      ['up', '--tpm', 'discrete'],
      ['logs', 'nosuch'],
      ['status', '--nosuch'],
      ['up', '--qemu', '--tpm', 'swtpm'],
    ]) {
      const { code, out, said } = await simulate(...words);
      expect(code, words.join(' ')).toBe(2);
      expect(out, words.join(' ')).toBe('');
      expect(said, words.join(' ')).toContain('enigm-sim --help lists the commands');
    }
  });

  test('where nothing runs: status says so, down has nothing to do, there are no logs', async () => {
    using home = temporaryHome();
    const there = ['--directory', home.path];
    expect(await simulate('status', ...there)).toEqual({
      code: 1,
      out: 'no simulated device runs: ./enigm-sim up starts one\n',
      said: '',
    });
    expect(await simulate('status', '--json', ...there)).toEqual({ code: 1, out: '{"isRunning":false}\n', said: '' });
    expect(await simulate('down', ...there)).toEqual({ code: 0, out: 'no simulated device runs\n', said: '' });
    expect((await simulate('down', '--json', ...there)).out).toBe('{"outcome":"not-running"}\n');
    expect(await simulate('shell', ...there)).toEqual({
      code: 1,
      out: '',
      said: 'no machine runs: ./enigm-sim up --qemu starts one\n',
    });
    expect(await simulate('logs', '--qemu', ...there)).toMatchObject({ code: 1, said: expect.stringContaining('busybox dmesg') });
    expect(await simulate('logs', ...there)).toMatchObject({
      code: 1,
      out: '',
      said: expect.stringContaining('there are no logs'),
    });
  });

  test('up, up again, status, logs, down', async () => {
    using home = temporaryHome();
    const there = ['--directory', home.path];
    const up = await simulate('up', '--detach', ...there);
    expect(up).toMatchObject({ code: 0, said: '' });
    expect(up.out).toMatch(/^a simulated device runs \(up, process \d+, TPM embedded\)\n/);
    expect(up.out).toMatch(/^Trust Security Center: http:\/\/127\.0\.0\.1:\d+\//m);

    // It runs as it was asked for: the same device, still there.
    const status = await simulate('status', '--json', ...there);
    expect(status.code).toBe(0);
    const again = await simulate('up', '--detach', '--json', ...there);
    expect(again.code).toBe(0);
    expect(stateOf(again)).toEqual(stateOf(status));
    expect(stateOf(status)).toMatchObject({ isRunning: true, isReady: true, command: 'up', kind: 'embedded' });
    expect((await fetch(stateOf(status).page, { redirect: 'manual' })).headers.get('set-cookie')).toContain('HttpOnly');

    // Not as it was asked for: one sentence that says who is in the way.
    for (const words of [['up'], ['up', '--detach', '--tpm', 'swtpm'], ['day', '--once']]) {
      const other = await simulate(...words, ...there);
      expect(other, words.join(' ')).toMatchObject({ code: 1, out: '' });
      expect(other.said).toMatch(/^another simulator uses .* \(up, process \d+.*\); \.\/enigm-sim down ends it\n$/);
    }

    const all = await simulate('logs', ...there);
    expect(all).toMatchObject({ code: 0, said: '' });
    for (const program of ['hald', 'linkd', 'inferd', 'paged'])
      expect(all.out).toMatch(new RegExp(` ${program} +info +program.ready`));
    const one = await simulate('logs', 'hald', '--json', ...there);
    const lines = one.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly program: string });
    expect(new Set(lines.map(({ program }) => program))).toEqual(new Set(['enigm-hald']));

    expect(await simulate('down', '--json', ...there)).toMatchObject({
      code: 0,
      out: `{"outcome":"ended","processId":${stateOf(status).processId}}\n`,
    });
    nothingIsLeft(home.path);

    // A device with another kind of TPM is another device.
    expect(await simulate('up', '--detach', '--tpm', 'swtpm', ...there)).toMatchObject({ code: 0, said: '' });
    expect((await simulate('down', ...there)).out).toMatch(/^ended \(process \d+\)\n$/);
    nothingIsLeft(home.path);
  });

  test('killed outright it blocks nobody, and what it left can be removed', async () => {
    using home = temporaryHome();
    const there = ['--directory', home.path];
    const killed = async () => {
      const { processId } = stateOf(await simulate('up', '--detach', '--json', ...there));
      process.kill(processId, 'SIGKILL');
      await expect.poll(() => processesOf(home.path), { timeout: 15_000 }).toEqual([]);
      return processId;
    };
    const first = await killed();
    expect(await simulate('status', ...there)).toMatchObject({
      code: 1,
      out: expect.stringContaining(`no simulated device runs: process ${first} was killed`),
    });
    const second = await killed();
    expect(second).not.toBe(first);
    expect(socketsOf(home.path)).toHaveLength(1);
    expect((await simulate('down', ...there)).out).toBe(`process ${second} was killed earlier; what it left is removed\n`);
    nothingIsLeft(home.path);
    expect((await simulate('status', ...there)).out).toBe('no simulated device runs: ./enigm-sim up starts one\n');
  });

  test('Ctrl-C ends it at once, however far its start has come', async () => {
    for (const fact of [isAnnounced, isReady]) {
      using home = temporaryHome();
      const up = startSimulator('up', '--directory', home.path);
      await expect.poll(() => fact(home.path), { timeout: 15_000, interval: 5 }).toBe(true);
      process.kill(-(up.child.pid ?? 0), 'SIGINT');
      expect((await up.ended).code).toBe(fact === isReady ? 0 : 130);
      nothingIsLeft(home.path);
      expect(existsSync(join(home.path, 'simulator.json'))).toBe(false);
    }
  });

  test('a listener that goes away ends the day in order', async () => {
    using home = temporaryHome();
    const day = startSimulator('day', '--once', '--directory', home.path);
    day.child.stdout?.once('data', () => day.child.stdout?.destroy());
    const { code, said } = await day.ended;
    expect({ code, said }).toEqual({ code: 130, said: '' });
    nothingIsLeft(home.path);
  });
});
