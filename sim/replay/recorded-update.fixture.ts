/**
 * One update of a real machine, with each write to its disk and to its firmware's flash in a log: installed, armed, tried and
 * committed. Kept where `ENIGM_REPLAY_FOLDER` says, so that other cuts of the same update can be looked at.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unwrap } from '#hal/core/result';
import { linuxCommands } from '#hal/linux/commands';
import { sectorBytes } from '#sim/image/gpt';
import { type QemuDevice, qemuDevice } from '#sim/qemu/device';
import { askAsMind } from '#sim/qemu/guest-tool.fixture';
import { clock, healthy, started } from '#sim/qemu/machine.fixture';
import { updatableMachine } from '#sim/qemu/updatable.fixture';
import { fileBytes } from './byte-source.ts';
import type { Survivor } from './cut.ts';
import { type Logs, type Moment, type Position, positions } from './moments.ts';
import { type ReplayedMedium, replayedMedium, writeReplayed } from './replayed-medium.ts';
import { stateFile, watchMedia } from './watch.ts';
import { readWriteLog } from './write-log.ts';

/** In their order; each lasts to the next. */
export const phases = ['install', 'trial', 'commit', 'after'] as const;
export type Phase = (typeof phases)[number];

export interface RecordedUpdate extends Disposable {
  readonly logs: Logs;
  /** States that were surely there, by the phase they were in. */
  readonly positions: ReadonlyMap<Phase, readonly Position[]>;
  /** Writes of the disk that are in no phase: the machine's first start. */
  readonly entriesBefore: number;
  disk(writes: readonly Survivor[]): ReplayedMedium;
  flash(entries: number): Uint8Array;
  /** A device as a cut left it, in a folder that goes away with it. */
  device(position: Position, writes: readonly Survivor[]): Promise<QemuDevice & Disposable>;
}

interface Kept {
  readonly moments: readonly Moment[];
  /** How many moments there were when each phase began, and at the end. */
  readonly marks: readonly number[];
}

const limitMs = 1_800_000;

export const recordedUpdate = async (): Promise<RecordedUpdate> => {
  const wanted = process.env['ENIGM_REPLAY_FOLDER'];
  const folder = wanted ?? mkdtempSync(join(tmpdir(), 'enigm-replay-'));
  if (!existsSync(join(folder, 'record.json'))) await record(folder);
  return recordIn(folder, () => wanted === undefined && rmSync(folder, { recursive: true, force: true }));
};

const media = (folder: string) => ({
  base: join(folder, 'base.img'),
  variables: join(folder, 'variables.fd'),
  site: join(folder, 'site.img'),
  tpm: join(folder, 'tpm'),
  logs: { disk: join(folder, 'disk.log'), variables: join(folder, 'variables.log') },
});

const record = async (folder: string): Promise<void> => {
  mkdirSync(folder, { recursive: true });
  const { base, variables, site, tpm, logs } = media(folder);
  const images = join(folder, 'image');
  const machines = await updatableMachine(images);
  using made = await machines.device();
  const { device } = made;
  // Sparse; the disk's overlay and the image beneath it as one.
  unwrap(await linuxCommands({ timeoutMs: 120_000 }).run('/usr/bin/qemu-img', ['convert', '-O', 'raw', device.disk, base]));
  copyFileSync(device.variables, variables);
  copyFileSync(device.site, site);
  const beganMs = clock.bootMs();
  await using machine = await started(device, { limitMs, logs });
  const watch = watchMedia({ logs, tpm: device.tpm, kept: tpm, clock });
  await healthy(machine);
  const marks = [watch.count()];
  const mark = (what: string) => {
    marks.push(watch.count());
    console.log(`${what} after ${Math.round((clock.bootMs() - beganMs) / 1000)} s`);
  };
  if (unwrap(await askAsMind(machine, 'install')) !== 'trial') throw new Error('not armed');
  mark('installed and armed');
  const before = machine.serial().length;
  unwrap(await machine.reset());
  await healthy(machine, before);
  mark('well on trial');
  unwrap(await askAsMind(machine, 'commit'));
  mark('committed');
  await machine.powerOff();
  const moments = await watch.end();
  marks.push(moments.length);
  rmSync(images, { recursive: true });
  writeFileSync(join(folder, 'record.json'), JSON.stringify({ moments, marks } satisfies Kept));
};

const recordIn = (folder: string, end: () => void): RecordedUpdate => {
  const { base: basePath, variables, site, tpm, logs: paths } = media(folder);
  const { moments, marks } = JSON.parse(readFileSync(join(folder, 'record.json'), 'utf8')) as Kept;
  const [base, flash] = [fileBytes(basePath), fileBytes(variables)];
  const [diskLog, flashLog] = [fileBytes(paths.disk), fileBytes(paths.variables)];
  const logs = {
    disk: unwrap(readWriteLog(diskLog, base.sizeBytes / sectorBytes)),
    variables: unwrap(readWriteLog(flashLog, flash.sizeBytes / sectorBytes)),
  };
  const found = new Map(
    phases.map((phase, index) => [phase, positions(moments.slice((marks[index] ?? 1) - 1, marks[index + 1]), logs)] as const),
  );
  const wholeFlash = (entries: number): ReplayedMedium =>
    replayedMedium(
      flash,
      flashLog,
      logs.variables
        .slice(0, entries)
        .flatMap((write) => (write.dataSector === undefined ? [] : [{ write, sectors: write.sectors }])),
    );
  return {
    logs,
    positions: found,
    entriesBefore: found.get('install')?.[0]?.disk ?? 0,
    disk: (writes) => replayedMedium(base, diskLog, writes),
    flash: (entries) => wholeFlash(entries).read(0, flash.sizeBytes),
    async device(position, writes) {
      const place = mkdtempSync(join(tmpdir(), 'enigm-cut-'));
      const device = qemuDevice(place);
      const raw = join(place, 'disk.img');
      unwrap(await writeReplayed(raw, basePath, diskLog, writes));
      unwrap(
        await linuxCommands().run('/usr/bin/qemu-img', ['create', '-q', '-f', 'qcow2', '-b', raw, '-F', 'raw', device.disk]),
      );
      writeFileSync(device.variables, wholeFlash(position.variables).read(0, flash.sizeBytes));
      mkdirSync(device.tpm, { mode: 0o700 });
      copyFileSync(join(tpm, String(position.tpm), stateFile), join(device.tpm, stateFile));
      copyFileSync(site, device.site);
      return { ...device, [Symbol.dispose]: () => rmSync(place, { recursive: true, force: true }) };
    },
    [Symbol.dispose]() {
      for (const source of [base, flash, diskLog, flashLog]) source[Symbol.dispose]();
      end();
    },
  };
};
