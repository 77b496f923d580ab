/** One device of real processes: its command line, its doors, and what can be done to its machine. */
import { closeSync, cpSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { apiMethods } from '#agents/api/methods';
import { beaconMethods } from '#agents/beacon/methods';
import { deviceLayout, socketPath } from '#agents/programs/layout';
import { toHex } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { socketClient } from '#hal/remote/socket-client';
import type { BuildPaths } from '#sim/machine/launch';
import { simulatedLayout, slotFiles, unwellPath } from '#sim/machine/layout';
import type { Machine } from '#sim/machine/machine';
import { writeSupply } from '#sim/machine/supply';
import { offerWindows } from '#sim/machine/syscalls-spool';
import type { Device, World } from '#sim/world/world';
import { enigmctl } from './command.ts';

/** @param site the configuration that it finds at its next start */
export const processDevice = (
  name: string,
  machine: Machine,
  paths: BuildPaths,
  site: () => string,
  until: World['until'],
  signal: AbortSignal,
): Device => {
  const { directory, runDirectory } = machine;
  const simulated = simulatedLayout(directory);
  const app = socketClient(apiMethods, socketPath(runDirectory, 'api'));
  const saved = `${simulated.tpm}.saved`;
  let recordings = 0;
  return {
    name,
    directory,
    app,
    relay: socketClient(beaconMethods, socketPath(runDirectory, 'beacon')),
    bootLogPath: join(simulated.firmware, 'boot.log'),
    auditPath: join(deviceLayout(directory).mind, 'audit.db'),
    relayStore: async () => join(deviceLayout(directory).beacon, 'beacon.db'),
    enigmctl: (...words) => enigmctl({ paths, runDirectory }, words, signal),
    observe: (windows) => {
      recordings += 1;
      offerWindows(simulated.signals, recordings, windows);
    },
    feed: (facts) => writeSupply(simulated.supply, facts),
    bootId: () => toHex(new Uint8Array(readFileSync(join(simulated.firmware, 'boot-id')))),
    powerOn: async () => void unwrap(await machine.powerOn(site())),
    powerOff: () => machine.powerOff(),
    powerCut: () => machine.powerCut(),
    isDead: () => machine.isDead(),
    breakHealth: (verityRoot) => writeFileSync(unwellPath(directory, verityRoot), ''),
    mendHealth: (verityRoot) => rmSync(unwellPath(directory, verityRoot), { force: true }),
    flipBit: (slot, offsetBytes) => flipBit(slotFiles(directory)[slot], offsetBytes),
    answers: () =>
      until(`${name} answers`, async () => {
        const status = await app.call('device.status', {});
        return status.ok || status.fault.reason === 'not-provisioned';
      }),
    pause: (program) => void machine.signal(program, 'SIGSTOP'),
    resume: (program) => void machine.signal(program, 'SIGCONT'),
    kill: (program) => void machine.signal(program, 'SIGKILL'),
    saveTpm: () => {
      rmSync(saved, { recursive: true, force: true });
      cpSync(simulated.tpm, saved, { recursive: true });
    },
    restoreTpm: () => {
      rmSync(simulated.tpm, { recursive: true, force: true });
      cpSync(saved, simulated.tpm, { recursive: true });
    },
  };
};

/** The lowest bit of this byte is another one. */
const flipBit = (path: string, offset: number): void => {
  const file = openSync(path, 'r+');
  try {
    const byte = new Uint8Array(1);
    readSync(file, byte, 0, 1, offset);
    writeSync(file, Uint8Array.of((byte[0] ?? 0) ^ 1), 0, 1, offset);
  } finally {
    closeSync(file);
  }
};
