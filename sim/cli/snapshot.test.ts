import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deny, done } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { snapshotsIn } from '#sim/levels/machines';
import { serveSnapshots, type TakeOrder } from '#sim/qemu/snapshot-door';
import { snapshotCommand } from './commands/snapshot.ts';
import type { Context } from './context.ts';
import { type DeviceKind, worldDirectoryOf } from './places.ts';
import { announce, startedTicksOf } from './running.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'enigm-snap-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const type = async (...words: readonly string[]) => {
  let [out, said, code] = ['', '', 0];
  const program = new Command('enigm-sim').exitOverride();
  program.configureOutput({
    writeOut: (text) => {
      out += text;
    },
    writeErr: (text) => {
      said += text;
    },
  });
  const context = {
    ...{ home, clock: linuxClock() },
    write: (text: string) => {
      out += text;
    },
    complain: (text: string) => {
      said += `${text}\n`;
    },
  } as unknown as Context;
  snapshotCommand(
    program,
    (action) =>
      async (...values) => {
        code = await action(...values);
      },
    context,
  );
  try {
    await program.parseAsync(['snapshot', ...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    code = error.exitCode === 0 ? 0 : 2;
  }
  return { code, out, said };
};

const runs = (kind: DeviceKind) =>
  announce(home, {
    ...{ command: 'up', processId: process.pid, startedTicks: startedTicksOf(process.pid) ?? '', kind },
    ...{ directory: join(home, 'device-1'), runDirectory: home, isReady: true },
  });
const takes = async (take: TakeOrder): Promise<Disposable> => {
  runs('qemu');
  const server = await serveSnapshots(home, take);
  return { [Symbol.dispose]: () => void server.close() };
};
const keep = (name: string) => {
  const folder = join(snapshotsIn(worldDirectoryOf(home, 'qemu')), name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'key'), '');
  utimesSync(join(folder, 'key'), 0, 0);
};

describe('enigm-sim snapshot', () => {
  test('says what it can do', async () => {
    const help = await type('--help');
    expect(help.code).toBe(0);
    for (const verb of ['save', 'list', 'restore', 'remove']) {
      expect(help.out).toMatch(new RegExp(`^  ${verb} `, 'm'));
      const own = await type(verb, '--help');
      expect(own.out).toContain('--json');
      expect(own.out).toContain('--directory');
    }
  });

  test.each([
    ['save'],
    ['restore'],
    ['remove'],
    ['save', '../x'],
    ['restore', 'A'],
    ['remove', 'x'.repeat(33)],
    ['keep', 'x'],
    ['save', 'x', 'y'],
  ])('does not take %j %j', async (...words) => {
    const { code, out, said } = await type(...words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(said).not.toBe('');
  });

  test('says in one sentence that no machine runs', async () => {
    const nothing = { code: 1, out: '', said: 'no machine runs: ./enigm-sim up --qemu starts one\n' };
    for (const verb of ['save', 'restore']) expect(await type(verb, 'one')).toEqual(nothing);
    runs('embedded');
    for (const verb of ['save', 'restore']) expect(await type(verb, 'one', '--json')).toEqual(nothing);
    runs('qemu');
    expect(await type('save', 'one')).toEqual({
      ...nothing,
      said: 'the machine takes no orders now: it starts, or has ended\n',
    });
  });

  test('orders, and says what came of it', async () => {
    using _ = await takes(async (order, name) => {
      if (name === 'none') return deny('unavailable', 'not-found');
      if (name === 'old') return deny('unavailable', 'not-supported');
      return order === 'save' ? done : deny('resource', 'time-limit', 'query-status');
    });
    expect(await type('save', 'one')).toMatchObject({ code: 0, said: '', out: expect.stringMatching(/^kept as one; .* s\)\n$/) });
    expect(JSON.parse((await type('save', 'one', '--json')).out)).toMatchObject({ outcome: 'saved', name: 'one' });
    expect(await type('restore', 'none')).toMatchObject({
      code: 1,
      said: 'no snapshot is called none: ./enigm-sim snapshot list\n',
    });
    expect((await type('restore', 'old')).said).toMatch(/^old was kept by another emulator or of another image/);
    expect((await type('restore', 'one')).said).toBe('restore one: resource/time-limit (query-status)\n');
  });

  test('lists and removes what is kept, whether or not a machine runs', async () => {
    expect(await type('list')).toEqual({
      code: 0,
      out: 'no snapshot is kept: ./enigm-sim snapshot save NAME keeps one\n',
      said: '',
    });
    expect((await type('list', '--json')).out).toBe('{"snapshots":[]}\n');
    keep('one');
    expect((await type('list')).out).toMatch(/^one +1970-01-01T00:00:00\.000Z +\d+ MiB\n$/);
    expect(JSON.parse((await type('list', '--json')).out)).toMatchObject({ snapshots: [{ name: 'one' }] });
    expect(await type('remove', 'one', '--json')).toEqual({ code: 0, out: '{"outcome":"removed","name":"one"}\n', said: '' });
    expect(await type('remove', 'one')).toEqual({
      code: 1,
      out: '',
      said: 'no snapshot is called one: ./enigm-sim snapshot list\n',
    });
  });
});
