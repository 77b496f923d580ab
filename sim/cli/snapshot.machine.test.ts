/** `enigm-sim snapshot` as a person types it: one machine, kept twice, gone back to, and across another start of its far ends. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { enigmctl } from '#sim/levels/command';
import { exitCodes } from './exit-codes.ts';
import { findRunning } from './running.ts';
import { nothingIsLeft, programs, simulate, temporaryHome } from './simulator.fixture.ts';

const withinMs = 600_000;

test('a machine goes back with its TPM, as often as it is told, and knows its far ends where they are now', async () => {
  using home = temporaryHome();
  const there = ['--directory', home.path];
  const sim = async (...words: readonly string[]) => {
    const { code, out, said } = await simulate(...words, ...there);
    expect({ code, said }, words.join(' ')).toEqual({ code: exitCodes.done, said: '' });
    return out;
  };
  const up = () => sim('up', '--qemu', '--detach', '--json');
  const device = async (...words: readonly string[]) => {
    const found = findRunning(home.path);
    if (found.state !== 'running') return expect.unreachable('it runs');
    const { runDirectory } = found.running;
    const place = { paths: { programs, node: process.execPath }, runDirectory, timeoutMs: withinMs };
    return enigmctl(place, words, new AbortController().signal);
  };
  const done = async (...words: readonly string[]) => {
    const { code, said } = await device(...words);
    expect(code, `${words.join(' ')}: ${said}`).toBe(exitCodes.done);
  };
  /** Its programs may be starting again. */
  const lifecycleIs = (wanted: string) =>
    expect.poll(async () => (await device('status')).json['lifecycle'], { timeout: withinMs, interval: 1_000 }).toBe(wanted);

  await up();
  const line = 'cat /proc/sys/kernel/random/boot_id';
  const boot = await sim('shell', line);
  console.log((await sim('snapshot', 'save', 'new')).trim());
  expect(await sim('shell', line)).toBe(boot);
  await done('provision', '--technician', 'ada');
  await lifecycleIs('unenrolled');
  console.log((await sim('snapshot', 'save', 'provisioned')).trim());
  await lifecycleIs('unenrolled');

  // What the TPM has been given since would be in the way of giving it again.
  console.log((await sim('snapshot', 'restore', 'new')).trim());
  expect(await sim('shell', line)).toBe(boot);
  await lifecycleIs('unprovisioned');
  await done('provision', '--technician', 'ada');
  await lifecycleIs('unenrolled');

  await sim('down');
  nothingIsLeft(home.path);
  expect((await sim('snapshot', 'list')).split('\n')).toHaveLength(3);
  await up();
  console.log((await sim('snapshot', 'restore', 'provisioned')).trim());
  expect(await sim('shell', line)).toBe(boot);
  // The verifier answers at another port than when it was kept.
  await lifecycleIs('unenrolled');
  await done('enrol');
  await lifecycleIs('active');

  expect(await sim('snapshot', 'remove', 'new')).toBe('new is removed\n');
  expect(existsSync(join(home.path, 'qemu/snapshots/new'))).toBe(false);
  await sim('down');
  nothingIsLeft(home.path);
});
