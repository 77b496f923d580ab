/**
 * A device that is a whole machine in an emulator, as a body of a level. Whoever speaks to it speaks to sockets of this
 * machine; behind them is the line to the simulator's image.
 */
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { apiMethods } from '#agents/api/methods';
import { beaconMethods } from '#agents/beacon/methods';
import { installed } from '#agents/package/places';
import { deviceLayout, socketPath } from '#agents/programs/layout';
import { toHex } from '#hal/core/bytes';
import { inTurn } from '#hal/core/in-turn';
import { ok, type Result, unwrap } from '#hal/core/result';
import { kernelBootLogPath } from '#hal/linux/boot-log';
import { memorySwitches } from '#hal/memory/switches';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { Random } from '#hal/ports/random';
import { dispatcher } from '#hal/remote/dispatcher';
import { peripheralMethods } from '#hal/remote/peripheral-methods';
import { peripheralHandlers } from '#hal/remote/peripherals';
import { socketClient } from '#hal/remote/socket-client';
import { type SocketServer, serveSocket } from '#hal/remote/socket-server';
import type { SupplyFacts } from '#protos/gen/types';
import type { BuildPaths } from '#sim/machine/launch';
import { onMains } from '#sim/machine/supply';
import { offerWindows, spooledSignals } from '#sim/machine/syscalls-spool';
import { certifyEndorsement } from '#sim/peers/authority';
import { freePort } from '#sim/peers/free-port';
import { makeDevice, type QemuDevice, writeSite } from '#sim/qemu/device';
import { type Doors, openDoors } from '#sim/qemu/doors';
import { equipSlots } from '#sim/qemu/equip';
import type { KeyLine } from '#sim/qemu/key-line';
import { powerOn, type RunningMachine } from '#sim/qemu/machine';
import { serveShell } from '#sim/qemu/shell';
import { serveSnapshots } from '#sim/qemu/snapshot-door';
import type { Device } from '#sim/world/world';
import { enigmctl } from './command.ts';
import type { Body, FirstBodyOptions } from './level.ts';
import { machineSite } from './machine-site.ts';
import { machineSnapshots } from './machine-snapshots.ts';
import { runDirectoryOf } from './run-directory.ts';

export interface MachineKind {
  /** Folder of the image that its disk grows from. */
  readonly image: string;
  /** Where a person keeps snapshots of it. */
  readonly snapshots: string;
  readonly key: KeyLine;
  readonly paths: BuildPaths;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface MachineBody extends Body {
  /** Types a line at the shell of the simulator's image, which is root's; undefined while it is off. */
  shell(line: string): Promise<Result<string>> | undefined;
}

/** A day of a machine that somebody looks at, and then some. */
const limitMs = 86_400_000;
const commandTimeoutMs = 600_000;

export const machineBody = (
  { image, snapshots, key, paths, clock, random, log }: MachineKind,
  { name, directory, site, releases, secrets, until, signal }: FirstBodyOptions,
): MachineBody => {
  const runDirectory = runDirectoryOf(directory);
  const peripherals = join(runDirectory, 'peripherals.sock');
  const signals = join(directory, 'signals');
  const bootLogPath = join(directory, 'boot.log');
  const relayStorePath = join(directory, 'beacon.db');
  const savedTpm = join(directory, 'tpm.saved');
  const app = socketClient(apiMethods, socketPath(runDirectory, 'api'));
  const unwell = new Set<string>();
  let made: QemuDevice | undefined;
  let running: RunningMachine | undefined;
  let doors: Doors | undefined;
  let server: SocketServer | undefined;
  let shell: Server | undefined;
  let snapshotDoor: Server | undefined;
  const one = inTurn();
  let bootId = '';
  /** Of the present start; resolves when it is on the disk of this machine. */
  let logIsThere: Promise<void> = Promise.resolve();
  let recordings = 0;
  let supply: SupplyFacts = onMains;

  /** A file of the machine, copied. */
  const fetch = async (from: string, to: string): Promise<void> => {
    const read = await doors?.file(from);
    if (read?.ok === true) writeFileSync(to, read.value);
  };
  const newOrKept = async (): Promise<QemuDevice> => {
    const folder = join(directory, 'machine');
    // The marker comes last: a factory that was cut begins anew.
    const marker = join(folder, 'equipped');
    const isNew = !existsSync(marker);
    if (isNew) rmSync(folder, { recursive: true, force: true });
    const device = unwrap(
      await makeDevice(folder, {
        ...{ image, addon: paths.addon, clock },
        certifyEndorsement: (endorsementPublic) => certifyEndorsement(secrets.tpmMaker, endorsementPublic, clock),
      }),
    );
    if (isNew) {
      unwrap(await equipSlots(device, releases.factory));
      writeFileSync(marker, '');
    }
    return device;
  };
  const handlers = peripheralHandlers({
    ...{ switches: memorySwitches(), signals: spooledSignals(signals), supply: { read: async () => ok(supply) } },
    isWell: async (verityRoot) => !unwell.has(toHex(verityRoot)),
  });
  const start = async (): Promise<void> => {
    if (running?.isOn() === true) return;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    mkdirSync(runDirectory, { recursive: true, mode: 0o700 });
    made ??= await newOrKept();
    shell ??= await serveShell(runDirectory, () => running);
    server ??= unwrap(await serveSocket(dispatcher(peripheralMethods, handlers), { path: peripherals, log }));
    snapshotDoor ??= await serveSnapshots(runDirectory, (...order) => one(() => takeOrder(...order)));
    const pagePort = await freePort();
    writeSite(made, machineSite(site(), pagePort));
    await enter(unwrap(await powerOn(made, { clock, limitMs })), pagePort);
  };
  const enter = async (machine: RunningMachine, pagePort: number): Promise<void> => {
    running = machine;
    key.plug(machine.key);
    doors = await openDoors({
      ...{ line: machine.link, runDirectory, pagePort, peripherals, clock },
      onHello: (boot) => {
        bootId = boot;
        logIsThere = fetch(kernelBootLogPath, bootLogPath);
      },
    });
  };
  /** Nobody speaks to it any more. */
  const leave = async (): Promise<void> => {
    key.unplug();
    await doors?.[Symbol.asyncDispose]();
    running = undefined;
    doors = undefined;
    bootId = '';
  };
  const stop = async (): Promise<void> => {
    const machine = running;
    await leave();
    await machine?.powerCut();
  };
  const takeOrder = machineSnapshots({
    ...{ folder: snapshots, image, clock, random, limitMs, leave, enter, restart: start },
    running: () => (running?.isOn() === true && made !== undefined ? { machine: running, device: made } : undefined),
    site: (pagePort) => machineSite(site(), pagePort),
  });

  /** What its programs have not written by now is lost, as they must bear; its kernel and its TPM end in order. */
  const powerOff = async (): Promise<void> => {
    await running?.powerOff();
    await stop();
  };

  const device: Device = {
    ...{ name, directory, app, bootLogPath },
    get auditPath() {
      return notHere('its audit log is on its own disk');
    },
    relay: socketClient(beaconMethods, socketPath(runDirectory, 'beacon')),
    async relayStore() {
      const store = join(deviceLayout(installed.directory).beacon, 'beacon.db');
      // What was written last lies beside it (SQLite, write-ahead log).
      for (const suffix of ['', '-wal']) await fetch(`${store}${suffix}`, `${relayStorePath}${suffix}`);
      return relayStorePath;
    },
    enigmctl: (...words) => enigmctl({ paths, runDirectory, timeoutMs: commandTimeoutMs }, words, signal),
    observe(windows) {
      recordings += 1;
      offerWindows(signals, recordings, windows);
    },
    bootId: () => bootId,
    powerOn: start,
    powerOff,
    powerCut: stop,
    isDead: () => notHere('nobody asks its firmware'),
    feed: (facts) => {
      supply = facts;
    },
    breakHealth: (verityRoot) => void unwell.add(toHex(verityRoot)),
    mendHealth: (verityRoot) => void unwell.delete(toHex(verityRoot)),
    flipBit: () => notHere('its disk is in use'),
    async answers() {
      await until(`${name} answers`, async () => {
        if (bootId === '') return false;
        const status = await app.call('device.status', {});
        return status.ok || status.fault.reason === 'not-provisioned';
      });
      await logIsThere;
    },
    pause: (program) => doors?.signal(program, 'SIGSTOP'),
    resume: (program) => doors?.signal(program, 'SIGCONT'),
    kill: (program) => doors?.signal(program, 'SIGKILL'),
    saveTpm() {
      rmSync(savedTpm, { recursive: true, force: true });
      if (made !== undefined) cpSync(made.tpm, savedTpm, { recursive: true });
    },
    restoreTpm() {
      if (made === undefined || !existsSync(savedTpm)) return;
      rmSync(made.tpm, { recursive: true, force: true });
      cpSync(savedTpm, made.tpm, { recursive: true });
    },
  };
  return {
    device,
    shell: (line) => running?.shell(line),
    isOn: () => running?.isOn() === true,
    async dispose() {
      snapshotDoor?.close();
      await one(powerOff);
      await server?.close();
      shell?.close();
      app.close();
      rmSync(runDirectory, { recursive: true, force: true });
    },
  };
};

/** A scenario that needs this is not one for a machine yet. */
const notHere = (why: string): never => {
  throw new Error(`not at this level: ${why}`);
};
