/** The simulated firmware: starts the TPM, lets a slot start, measures the image into the TPM, and writes the log of what it did. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bankAlgorithms } from '#attestation/eventlog/algorithms';
import { eventLogWriter } from '#attestation/eventlog/write';
import { concat } from '#hal/core/bytes';
import { attempt, deny, ok, type Result } from '#hal/core/result';
import { readIfThere } from '#hal/linux/atomic-file';
import { handles } from '#hal/native/commands';
import type { Esys } from '#hal/native/esys';
import { tpmResult } from '#hal/native/tpm-error';
import type { RunningSlot } from '#hal/ports/boot-control';
import type { Random } from '#hal/ports/random';
import { slotNames } from '#hal/ports/slots';
import { digestValues } from '#hal/tpm/wire';
import { bootMeasurements, type Image } from './image.ts';
import { flushLeftovers, startTpm } from './raw-tpm.ts';

export interface Boot {
  /** 16 bytes, new at each boot. */
  readonly bootId: Uint8Array;
  readonly logPath: string;
  /** As measured at this boot. */
  readonly running: RunningSlot;
}

const logName = 'boot.log';
const bootIdName = 'boot-id';
/** Slot (1 byte: 0 is a) and root hash (32 bytes), for hands that restart within one boot. */
const runningName = 'running';

/** How the hands of a machine end whose slots do not start: nobody starts them again before somebody switches it on. */
export const deadCode = 87;

export interface Firmware {
  /** Where it keeps its log; no program writes there. */
  readonly directory: string;
  readonly imageOf: (verityRoot: Uint8Array) => Image;
  /** Asked once at each boot, and never by hands that restart. */
  readonly startSlot: () => Promise<Result<RunningSlot>>;
}

/**
 * Power on: TPM2_Startup(CLEAR), then the measured boot. A TPM that is already started belongs to a machine that is
 * already up: then the hands alone restarted, the boot goes on, and what the hands before them left in the TPM is flushed.
 * @returns the boot; the fault of `startSlot`, of the TPM, or `unavailable/storage-failed`
 */
export const bootMachine = async (
  esys: Esys,
  { directory, imageOf, startSlot }: Firmware,
  random: Random,
): Promise<Result<Boot>> => {
  const logPath = join(directory, logName);
  const started = await startTpm(esys);
  if (!started.ok) return started;
  if (!started.value) {
    const flushed = await flushLeftovers(esys);
    if (!flushed.ok) return flushed;
    const bootId = readIfThere(join(directory, bootIdName));
    if (!bootId.ok) return bootId;
    const running = readRunning(directory);
    if (!running.ok) return running;
    return bootId.value?.length === 16
      ? ok({ bootId: bootId.value, logPath, running: running.value })
      : deny('unavailable', 'storage-failed', 'boot id');
  }
  const running = await startSlot();
  if (!running.ok) return running;
  const log = eventLogWriter(['sha256']);
  for (const measurement of bootMeasurements(imageOf(running.value.verityRoot))) {
    const digests = [...log.add(measurement)].map(([bank, digest]) => ({ algorithm: bankAlgorithms[bank].id, digest }));
    const extended = await tpmResult(esys.pcrExtend(measurement.pcr, [handles.password], digestValues(digests)));
    if (!extended.ok) return extended;
  }
  const bootId = random.bytes(16);
  return attempt(
    () => {
      writeFileSync(logPath, log.bytes());
      writeFileSync(join(directory, bootIdName), bootId);
      const { slot, verityRoot } = running.value;
      writeFileSync(join(directory, runningName), concat(Uint8Array.of(slotNames.indexOf(slot)), verityRoot));
      return { bootId, logPath, running: running.value };
    },
    (cause) => deny('unavailable', 'storage-failed', cause),
  );
};

const readRunning = (directory: string): Result<RunningSlot> => {
  const bytes = readIfThere(join(directory, runningName));
  if (!bytes.ok) return bytes;
  const slot = slotNames[bytes.value?.[0] ?? -1];
  return slot !== undefined && bytes.value?.length === 33
    ? ok({ slot, verityRoot: bytes.value.slice(1) })
    : deny('unavailable', 'storage-failed', 'running slot');
};
