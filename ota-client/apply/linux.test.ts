/** A whole update over files, through the Linux adapters: slots, journal and boot record on disk, a restart between the steps. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bootRecordStore, recordedBootControl } from '#hal/core/boot-record';
import { ok, unwrap } from '#hal/core/result';
import { twinRecordBytes } from '#hal/core/twin-record';
import { linuxBlockDevice, linuxSlots } from '#hal/linux/block-device';
import { linuxClock } from '#hal/linux/clock';
import { chooseSlot } from '#hal/memory/boot-loader';
import { sha256 } from '../payload/segment-index.ts';
import { provisionSlots } from '../slots/factory.ts';
import { slotKeeper } from '../slots/keeper.ts';
import { ledgerStore } from '../slots/ledger.ts';
import { type InstallBegun, install } from './install.ts';
import { installer } from './installer.ts';
import { newRelease, oldRelease, slotBytes } from './releases.fixture.ts';
import { slotSwitch } from './switch.ts';

const directory = mkdtempSync(join(tmpdir(), 'enigm-update-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = (name: string) => join(directory, name);

/** The programs of one life, over the files. */
const start = async () => {
  const journal = unwrap(await linuxBlockDevice(path('journal'), 'write'));
  const bootDevice = unwrap(await linuxBlockDevice(path('boot'), 'write'));
  const boot = bootRecordStore(bootDevice);
  const ledger = ledgerStore(journal);
  const slots = linuxSlots({ a: path('a'), b: path('b') });
  const floor = { read: async () => ok(1) };
  const life = async () => {
    const slot = unwrap(await chooseSlot(boot));
    const running = { slot, verityRoot: (slot === 'a' ? oldRelease : newRelease).facts.verityRoot };
    const keeper = slotKeeper(
      recordedBootControl(boot, async () => ok(running)),
      ledger,
    );
    return {
      running,
      installer: installer({ slots, keeper, floor }),
      switch: slotSwitch({ keeper, floor, verifyArm: () => ok(newRelease.facts) }),
    };
  };
  const close = () => Promise.all([journal.close(), bootDevice.close()]);
  return { boot, ledger, life, close, source: unwrap(await slots.open('a', 'read')) };
};

test('an update over files: installed, resumed by another life, armed, committed', async () => {
  for (const [name, bytes] of [
    ['a', slotBytes],
    ['b', slotBytes],
    ['journal', twinRecordBytes],
    ['boot', twinRecordBytes],
  ] as const) {
    writeFileSync(path(name), name === 'a' ? oldRelease.slotContent : '');
    truncateSync(path(name), bytes);
  }
  const first = await start();
  unwrap(await provisionSlots(first.boot, first.ledger, oldRelease.facts));
  const controller = new AbortController();
  const onProgress = ({ segment }: { segment: number }) => segment === 2 && controller.abort();
  const running = { index: sha256(oldRelease.payload.index), device: first.source };
  const mirrors = [newRelease.fetch];
  const life = await first.life();
  const cut = await install(
    newRelease.order,
    newRelease.files,
    { mirrors, running, onProgress, installer: life.installer, clock: linuxClock() },
    controller.signal,
  );
  expect(cut).toMatchObject({ ok: false, fault: { reason: 'aborted' } });
  await first.source.close();
  await first.close();

  const second = await start();
  const next = await second.life();
  let segments = 0;
  const counting = {
    ...next.installer,
    write: (segment: number, bytes: Uint8Array) => {
      segments += 1;
      return next.installer.write(segment, bytes);
    },
  };
  const source = { index: running.index, device: second.source };
  const begun: InstallBegun[] = [];
  unwrap(
    await install(
      newRelease.order,
      newRelease.files,
      { mirrors, running: source, installer: counting, clock: linuxClock(), onBegun: (now) => begun.push(now) },
      new AbortController().signal,
    ),
  );
  expect(segments).toBe(2);
  expect(begun).toEqual([{ segment: 2, segments: 4, recheckedSegments: 2 }]);
  expect(Buffer.compare(readFileSync(path('b')).subarray(0, newRelease.slotContent.length), newRelease.slotContent)).toBe(0);
  expect(unwrap(await next.switch.arm(newRelease.envelope))).toBe('trial');
  const trial = await second.life();
  expect(trial.running.slot).toBe('b');
  unwrap(await trial.switch.commit());
  expect(unwrap(await trial.switch.status()).slots).toMatchObject({ a: { state: 'superseded' }, b: { state: 'committed' } });
  await second.source.close();
  await second.close();
});
