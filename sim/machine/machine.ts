/**
 * A simulated machine: a device directory, a software TPM, a power switch, and the programs of a device as processes of
 * their own. What a fault does to it is what it would do to a device: a signal, a stop, a changed file.
 */
import { createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { deviceLayout } from '#agents/programs/layout';
import { exitCode } from '#agents/programs/runtime';
import { type ProgramName, programNames } from '#agents/supervisor/launch';
import { type ProgramSpec, type ProgramStatus, type Programs, startPrograms } from '#agents/supervisor/programs';
import { deny, ok, type Result, unwrap } from '#hal/core/result';
import { readIfThere } from '#hal/linux/atomic-file';
import { openSimulatedEsys } from '#hal/native/esys-sim';
import { tpmResult } from '#hal/native/tpm-error';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import { equipSlots, type Factory, pinFactory } from './factory.ts';
import { deadCode } from './firmware.ts';
import { type LaunchParts, launchOf } from './launch.ts';
import { simulatedLayout, slotFiles } from './layout.ts';
import { manufactureTpm } from './manufacture.ts';
import { type Swtpm, startSwtpm } from './swtpm.ts';

export type TpmKind = 'embedded' | 'swtpm';

export interface MachineOptions extends LaunchParts {
  readonly tpm: TpmKind;
  readonly clock: Clock;
  readonly log: Log;
  /** Issues the certificate that the TPM's maker puts into it. */
  readonly certifyEndorsement: (endorsementPublic: Uint8Array) => Promise<Uint8Array>;
  /** What is in it before anybody owns it. */
  readonly factory: Factory;
  /** Whether this device shows its page. */
  readonly hasPage: boolean;
}

export interface Machine {
  readonly directory: string;
  readonly runDirectory: string;
  /** What stands before a program so that it runs in the network of the machine. */
  readonly network?: readonly string[];
  /** The line of the Key that belongs to it. */
  readonly keyLink?: string;
  /** @param site contents of the site configuration for this power-on */
  powerOn(site: string): Promise<Result<void>>;
  /** Asks every program to end. */
  powerOff(): Promise<void>;
  /** Everything stops at once, as when the battery is taken out. */
  powerCut(): Promise<void>;
  status(): readonly ProgramStatus[];
  signal(program: ProgramName, signal: NodeJS.Signals): boolean;
  isOn(): boolean;
  /** No slot started: nothing runs until somebody switches it on again. */
  isDead(): boolean;
  /** Powers off for good: nothing that was asked for before or comes later switches it on again. */
  dispose(): Promise<void>;
}

export const simulatedMachine = (options: MachineOptions): Machine => {
  const { directory, runDirectory, clock, log, paths } = options;
  const layout = simulatedLayout(directory);
  const device = deviceLayout(directory);
  let programs: Programs | undefined;
  let swtpm: Swtpm | undefined;
  let outputs: Writable[] = [];
  let site = '';
  let isDisposed = false;
  let isDead = false;

  const start = async (): Promise<Result<void>> => {
    if (isDisposed) return deny('unavailable', 'aborted', 'the machine is gone');
    // Gone at each boot, however the one before ended.
    rmSync(runDirectory, { recursive: true, force: true });
    for (const folder of [runDirectory, layout.logs, layout.firmware, layout.tpm, device.hands, device.mind, device.beacon])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(device.site, site, { mode: 0o600 });
    if (options.tpm === 'swtpm') {
      const started = await startSwtpm({ stateDirectory: layout.tpm, socketDirectory: runDirectory, clock });
      if (!started.ok) return started;
      swtpm = started.value;
    }
    const made = await manufacture();
    if (!made.ok) return made;
    const equipped = await equip();
    if (!equipped.ok) return equipped;
    isDead = false;
    outputs = [];
    const specs = programNames.filter(isThere).map((name) => specOf(name));
    programs = startPrograms(specs, {
      clock,
      log,
      requestCodes: [exitCode.reboot, deadCode],
      restartCode: exitCode.restart,
      onRequest,
    });
    return ok(undefined);
  };

  /** Before anybody uses the machine: the maker's certificate, once in the life of the TPM. */
  const manufacture = async (): Promise<Result<void>> => {
    const marker = join(layout.firmware, 'manufactured');
    if (unwrap(readIfThere(marker)) !== undefined) return ok(undefined);
    const opened = await openSimulatedEsys(tpmOptions());
    if (!opened.ok) return opened;
    await using esys = opened.value;
    const begun = await tpmResult(esys.startup(0));
    if (!begun.ok) return begun;
    const made = await manufactureTpm(esys, options.certifyEndorsement);
    if (!made.ok) return made;
    await esys.shutdown([], 0);
    if (swtpm !== undefined) await swtpm.powerCycle();
    writeFileSync(marker, '');
    return ok(undefined);
  };

  /** The marker comes last: a factory that was cut begins anew. */
  const equip = async (): Promise<Result<void>> => {
    const marker = join(layout.firmware, 'equipped');
    const files = slotFiles(directory);
    if (unwrap(readIfThere(marker)) !== undefined) return ok(pinFactory(files, options.factory));
    const made = await equipSlots(files, options.factory);
    if (made.ok) writeFileSync(marker, '');
    return made;
  };

  const tpmOptions = () =>
    swtpm === undefined
      ? ({ addon: paths.addon, embedded: layout.tpm } as const)
      : ({ addon: paths.addon, swtpm: { path: swtpm.commandPath } } as const);

  const isThere = (name: ProgramName): boolean =>
    (name !== 'paged' || options.hasPage) && (name !== 'beacond' || options.keyLink !== undefined);

  const specOf = (name: ProgramName): ProgramSpec => {
    const output = createWriteStream(join(layout.logs, `${name}.log`), { flags: 'a', mode: 0o600 });
    outputs.push(output);
    const { flags, script, words, ...how } = launchOf(name, options, swtpm?.commandPath ?? 'embedded');
    return { name, command: paths.node, arguments: [...flags, script, ...words], output, ...how };
  };

  const stop = async (): Promise<void> => {
    await programs?.stop();
    programs = undefined;
    await swtpm?.stop();
    swtpm = undefined;
    for (const output of outputs) output.end();
    await Promise.all(outputs.map((output) => finished(output).catch(() => undefined)));
    outputs = [];
  };

  // A reboot that a program asked for runs by itself; whoever switches the machine waits for it.
  let switching: Promise<unknown> = Promise.resolve();
  const exclusively = <T>(work: () => Promise<T>): Promise<T> => {
    const next = switching.then(work);
    switching = next.catch(() => undefined);
    return next;
  };
  const onRequest = (_: string, code: number): void => void (code === deadCode ? die() : reboot());
  const die = () =>
    exclusively(async () => {
      await stop();
      isDead = true;
      if (!isDisposed) log.error('machine.dead', { cause: 'no slot starts' });
    });
  const reboot = () =>
    exclusively(async () => {
      await stop();
      const started = await start();
      if (!started.ok && !isDisposed) log.error('machine.dead', { cause: started.fault.detail ?? started.fault.reason });
    });

  const powerOff = () =>
    exclusively(async () => {
      await stop();
      rmSync(runDirectory, { recursive: true, force: true });
    });

  return {
    directory,
    runDirectory,
    ...(options.network === undefined ? {} : { network: options.network }),
    ...(options.keyLink === undefined ? {} : { keyLink: options.keyLink }),
    powerOn: (nextSite) =>
      exclusively(() => {
        site = nextSite;
        return start();
      }),
    powerOff,
    powerCut: () =>
      exclusively(async () => {
        for (const { name } of programs?.status() ?? []) programs?.signal(name, 'SIGKILL');
        await stop();
      }),
    status: () => programs?.status() ?? [],
    signal: (program, signal) => programs?.signal(program, signal) ?? false,
    isOn: () => programs !== undefined,
    isDead: () => isDead,
    dispose() {
      isDisposed = true;
      return powerOff();
    },
  };
};
