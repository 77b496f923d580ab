/** A trial of the other slot on the real machine: what ends it, what then runs, and what is known of it afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import { partitionNamed, partitions } from '#sim/image/disk';
import { sectorBytes } from '#sim/image/gpt';
import { guestBootControl } from './boot-control.fixture.ts';
import { type QemuDevice, writeSite } from './device.ts';
import { guestTool } from './guest-tool.fixture.ts';
import {
  buildTestImage,
  clock,
  hangingBootImage,
  healthy,
  imageFolder,
  started,
  testDevice,
  untilEvent,
  writePartition,
} from './machine.fixture.ts';
import type { RunningMachine } from './machine.ts';
import { lonelySite } from './site.ts';
import { restoreSnapshot, saveSnapshot, snapshotKey } from './snapshot.ts';

/** `driverWords` of the image, and what a busy host adds. */
const watchdogMs = 60_000;
const slackMs = 5_000;
/** Of the machine that all others come from. */
const limitMs = 1_800_000;
/** Nobody is told, and nobody feeds any more. */
const stopFeeder = '(cd /proc; for p in [0-9]*; do grep -q supervisord.cjs $p/cmdline && kill -STOP $p; done)';
/** Whoever feeds is ended, again and again, as soon as it looks for programs. */
const endFeeder = `{ (while :; do for p in /proc/[0-9]*; do grep -q supervisord.cjs $p/cmdline && kill -KILL \${p#/proc/}; done; sleep 2; done) > /dev/null 2>&1 & }`;
/** Of the supervisor with the mind. */
const patienceMs = 90_000;
/** WDIOF_CARDRESET (linux/watchdog.h): the watchdog ended the last start. */
const resetByWatchdog = '32';

describe('a trial on the real machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-trial-'));
  const snapshot = join(folder, 'on-trial');
  let firstRootHungMs = 0;
  let afterFirstRoot: Awaited<ReturnType<typeof known>>;

  /** Slot b has a signed image that hangs in its first root; after that trial it has a good one, and runs on trial. */
  beforeAll(async () => {
    const image = await buildTestImage();
    using made = await testDevice();
    writeSite(made.device, await lonelySite(clock), await guestTool('boot-control'));
    await writePartition(made.device, partitionNamed('esp-b').startSector * sectorBytes, await hangingBootImage(image));
    await using machine = await started(made.device, { limitMs });
    await healthy(machine);
    const control = guestBootControl(machine);
    unwrap(await control.armTrial('b', 1));
    const before = machine.serial().length;
    unwrap(await machine.reset());
    firstRootHungMs = unwrap(await untilEvent(machine, 'WATCHDOG', limitMs));
    await healthy(machine, before);
    afterFirstRoot = await known(machine);

    const node = (name: 'esp-a' | 'esp-b') => `/dev/vda${partitions.indexOf(partitionNamed(name)) + 1}`;
    unwrap(await machine.shell(`dd if=${node('esp-a')} of=${node('esp-b')} bs=1M 2> /dev/null; sync`));
    unwrap(await control.armTrial('b', 1));
    const onTrial = machine.serial().length;
    unwrap(await machine.reset());
    expect(await healthy(machine, onTrial)).toBe('b');
    unwrap(await saveSnapshot(machine, made.device, snapshot, unwrap(await snapshotKey(imageFolder, {}))));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const onTrial = async (name: string): Promise<{ readonly device: QemuDevice; readonly machine: RunningMachine }> =>
    unwrap(await restoreSnapshot(snapshot, join(folder, name), { clock, random: systemRandom }));

  test('that hangs in its first root ends by the watchdog, and the old slot runs again (SR-13)', () => {
    console.log(`reset ${firstRootHungMs} ms after the start of the trial`);
    expect(afterFirstRoot).toEqual({ ...fellBack, lastReset: resetByWatchdog });
  });

  test('that hangs in its programs ends by the watchdog, and the old slot runs again (SR-13)', async () => {
    await using machine = (await onTrial('hung')).machine;
    const before = machine.serial().length;
    unwrap(await machine.shell(stopFeeder));
    const hungMs = unwrap(await untilEvent(machine, 'WATCHDOG', watchdogMs + slackMs));
    const beganMs = clock.bootMs();
    await healthy(machine, before);
    console.log(`reset ${hungMs} ms after the hang; the old slot was healthy ${clock.bootMs() - beganMs} ms later`);
    expect(await known(machine)).toEqual({ ...fellBack, lastReset: resetByWatchdog });
  });

  test('whose supervisor only ever ends is reset too: the next one has no more patience than the first (SR-13)', async () => {
    await using machine = (await onTrial('ending')).machine;
    const before = machine.serial().length;
    unwrap(await machine.shell(endFeeder));
    unwrap(await untilEvent(machine, 'WATCHDOG', patienceMs + watchdogMs + slackMs));
    await healthy(machine, before);
    expect(await known(machine)).toEqual({ ...fellBack, lastReset: resetByWatchdog });
  });

  test('whose kernel panics ends at once, and the old slot runs again (SR-13)', async () => {
    await using machine = (await onTrial('panicked')).machine;
    const before = machine.serial().length;
    void machine.shell('echo c > /proc/sysrq-trigger', slackMs);
    unwrap(await untilEvent(machine, 'RESET', watchdogMs));
    await healthy(machine, before);
    expect(await known(machine)).toEqual({ ...fellBack, lastReset: '0' });
  });

  test('that a power cut ends is over, and the old slot runs again', async () => {
    const { device, machine } = await onTrial('cut');
    await machine.powerCut();
    await using again = await started(device);
    await healthy(again);
    expect(await known(again)).toEqual({ ...fellBack, lastReset: '0' });
  });

  test('that is committed is over, and its slot starts from then on, after a power cut too', async () => {
    const { device, machine } = await onTrial('committed');
    unwrap(await guestBootControl(machine).commit('b'));
    await machine.powerCut();
    await using again = await started(device);
    expect(await healthy(again)).toBe('b');
    expect(unwrap(await guestBootControl(again).read())).toMatchObject({
      running: { slot: 'b' },
      preferred: 'b',
      slots: { a: { state: 'good' }, b: { state: 'good', triesLeft: 0 } },
    });
  });
});

/** What the machine knows of a trial that failed: that it has no tries left. */
const fellBack = { runs: 'a', preferred: 'a', a: 'good', b: 'trial', triesLeft: 0 } as const;

const known = async (machine: RunningMachine) => {
  const { running, preferred, slots } = unwrap(await guestBootControl(machine).read());
  const lastReset = unwrap(await machine.shell('cat /sys/class/watchdog/watchdog0/bootstatus'));
  return { runs: running.slot, preferred, a: slots.a.state, b: slots.b.state, triesLeft: slots.b.triesLeft, lastReset };
};
