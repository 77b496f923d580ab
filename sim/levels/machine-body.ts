/**
 * A device that is a whole machine in an emulator, as a body of a level. Whoever speaks to it speaks to sockets of this
 * machine; behind them is the line to the simulator's image.
 */
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiMethods } from '#agents/api/methods';
import { beaconMethods } from '#agents/beacon/methods';
import { socketPath } from '#agents/programs/layout';
import { unwrap } from '#hal/core/result';
import { memorySwitches } from '#hal/memory/switches';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import { dispatcher } from '#hal/remote/dispatcher';
import { peripheralMethods } from '#hal/remote/peripheral-methods';
import { peripheralHandlers } from '#hal/remote/peripherals';
import { socketClient } from '#hal/remote/socket-client';
import { type SocketServer, serveSocket } from '#hal/remote/socket-server';
import type { BuildPaths } from '#sim/machine/launch';
import { offerWindows, spooledSignals } from '#sim/machine/syscalls-spool';
import { certifyEndorsement } from '#sim/peers/authority';
import { makeDevice, type QemuDevice, writeSite } from '#sim/qemu/device';
import { type Doors, openDoors } from '#sim/qemu/doors';
import { equipSlots } from '#sim/qemu/equip';
import { powerOn, type RunningMachine } from '#sim/qemu/machine';
import type { Device } from '#sim/world/world';
import { enigmctl } from './command.ts';
import type { Body, BodyOptions } from './level.ts';
import type { MachineFactory } from './machine-factory.ts';
import { runDirectoryOf } from './run-directory.ts';

export interface MachineKind {
  readonly factory: Pick<MachineFactory, 'image' | 'release'>;
  readonly paths: BuildPaths;
  readonly clock: Clock;
  readonly log: Log;
}

/** A day of a machine, and then some. */
const limitMs = 3_600_000;
const commandTimeoutMs = 600_000;

export const machineBody = (
  { factory, paths, clock, log }: MachineKind,
  { name, directory, site, secrets, until, signal }: BodyOptions,
): Body => {
  const runDirectory = runDirectoryOf(directory);
  const peripherals = join(runDirectory, 'peripherals.sock');
  const signals = join(directory, 'signals');
  const bootLogPath = join(directory, 'boot.log');
  const savedTpm = join(directory, 'tpm.saved');
  const app = socketClient(apiMethods, socketPath(runDirectory, 'api'));
  let made: QemuDevice | undefined;
  let running: RunningMachine | undefined;
  let doors: Doors | undefined;
  let server: SocketServer | undefined;
  let bootId = '';
  /** Of the present start; resolves when it is on the disk of this machine. */
  let logIsThere: Promise<void> = Promise.resolve();
  let recordings = 0;

  const keepLog = async (): Promise<void> => {
    const read = await doors?.bootLog();
    if (read?.ok === true) writeFileSync(bootLogPath, read.value);
  };
  const newOrKept = async (): Promise<QemuDevice> => {
    const folder = join(directory, 'machine');
    const isNew = !existsSync(folder);
    const device = unwrap(
      await makeDevice(folder, {
        ...{ image: factory.image, addon: paths.addon, clock },
        certifyEndorsement: (endorsementPublic) => certifyEndorsement(secrets.tpmMaker, endorsementPublic, clock),
      }),
    );
    if (isNew) unwrap(await equipSlots(device, factory.release));
    return device;
  };
  const start = async (): Promise<void> => {
    if (running?.isOn() === true) return;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    mkdirSync(runDirectory, { recursive: true, mode: 0o700 });
    made ??= await newOrKept();
    server ??= unwrap(
      await serveSocket(
        dispatcher(peripheralMethods, peripheralHandlers({ switches: memorySwitches(), signals: spooledSignals(signals) })),
        { path: peripherals, log },
      ),
    );
    writeSite(made, machineSite(site()));
    running = unwrap(await powerOn(made, { clock, limitMs }));
    doors = await openDoors({
      ...{ line: running.link, runDirectory, peripherals, clock },
      onHello: (boot) => {
        bootId = boot;
        logIsThere = keepLog();
      },
    });
  };
  const stop = async (): Promise<void> => {
    await doors?.[Symbol.asyncDispose]();
    await running?.powerCut();
    running = undefined;
    doors = undefined;
    bootId = '';
  };

  const device: Device = {
    ...{ name, directory, app, bootLogPath },
    get auditPath() {
      return notHere('its audit log is on its own disk');
    },
    relay: socketClient(beaconMethods, socketPath(runDirectory, 'beacon')),
    enigmctl: (...words) => enigmctl({ paths, runDirectory, timeoutMs: commandTimeoutMs }, words, signal),
    observe(windows) {
      recordings += 1;
      offerWindows(signals, recordings, windows);
    },
    bootId: () => bootId,
    powerOn: start,
    /** What its programs have not written by now is lost, as they must bear. */
    async powerOff() {
      await running?.shell('sync');
      await stop();
    },
    powerCut: stop,
    isDead: () => notHere('nobody asks its firmware'),
    breakHealth: () => notHere('its storage is its own'),
    mendHealth: () => notHere('its storage is its own'),
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
    isOn: () => running?.isOn() === true,
    async dispose() {
      await stop();
      await server?.close();
      app.close();
      rmSync(runDirectory, { recursive: true, force: true });
    },
  };
};

/** A scenario that needs this is not one for a machine yet. */
const notHere = (why: string): never => {
  throw new Error(`not at this level: ${why}`);
};

/**
 * The same far ends, as a guest of the emulator sees them: its gateway is the machine that runs it. Without updates, which
 * reach it another way, and without a Key, which has no line to it.
 */
const machineSite = (site: string): string => {
  const { fleet, beacon: _, ...rest } = JSON.parse(site.replaceAll('127.0.0.1', '10.0.2.2')) as Record<string, object>;
  const { update: __, ...withoutUpdates } = fleet as { readonly update: object };
  return JSON.stringify({ ...rest, fleet: withoutUpdates });
};
