/** The simulated firmware: starts the TPM, measures the image into it, and writes the log of what it did. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bankAlgorithms } from '#attestation/eventlog/algorithms';
import { eventLogWriter } from '#attestation/eventlog/write';
import { attempt, deny, ok, type Result } from '#hal/core/result';
import { readIfThere } from '#hal/linux/atomic-file';
import { handles } from '#hal/native/commands';
import type { Esys } from '#hal/native/esys';
import { tpmResult } from '#hal/native/tpm-error';
import type { Random } from '#hal/ports/random';
import { digestValues } from '#hal/tpm/wire';
import { bootMeasurements, type Image } from './image.ts';
import { flushLeftovers, startTpm } from './raw-tpm.ts';

export interface Boot {
  /** 16 bytes, new at each boot. */
  readonly bootId: Uint8Array;
  readonly logPath: string;
}

const logName = 'boot.log';
const bootIdName = 'boot-id';

/**
 * Power on: TPM2_Startup(CLEAR), then the measured boot. A TPM that is already started belongs to a machine that is
 * already up: then the hands alone restarted, the boot goes on, and what the hands before them left in the TPM is flushed.
 * @param directory where the firmware keeps its log, not written by any program
 */
export const bootMachine = async (esys: Esys, directory: string, image: Image, random: Random): Promise<Result<Boot>> => {
  const logPath = join(directory, logName);
  const started = await startTpm(esys);
  if (!started.ok) return started;
  if (!started.value) {
    const flushed = await flushLeftovers(esys);
    if (!flushed.ok) return flushed;
    const bootId = readIfThere(join(directory, bootIdName));
    if (!bootId.ok) return bootId;
    return bootId.value?.length === 16 ? ok({ bootId: bootId.value, logPath }) : deny('unavailable', 'storage-failed', 'boot id');
  }
  const log = eventLogWriter(['sha256']);
  for (const measurement of bootMeasurements(image)) {
    const digests = [...log.add(measurement)].map(([bank, digest]) => ({ algorithm: bankAlgorithms[bank].id, digest }));
    const extended = await tpmResult(esys.pcrExtend(measurement.pcr, [handles.password], digestValues(digests)));
    if (!extended.ok) return extended;
  }
  const bootId = random.bytes(16);
  return attempt(
    () => {
      writeFileSync(logPath, log.bytes());
      writeFileSync(join(directory, bootIdName), bootId);
      return { bootId, logPath };
    },
    (cause) => deny('unavailable', 'storage-failed', cause),
  );
};
