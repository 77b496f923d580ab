/**
 * A start that comes to its end says so. Until then the first root counts it (`sim/image/guest/initrd.sh`): one that does
 * not come to its end is tried once more, then the other slot, then recovery.
 */

import { existsSync, writeFileSync } from 'node:fs';
import { u16le, utf8 } from '#hal/core/bytes';
import { decodeBootOrder } from '#hal/core/efi-load-option';
import { globalVendor } from '#hal/core/guid';
import { attempt, deny, done, type Result } from '#hal/core/result';
import type { SlotName } from '#hal/ports/slots';
import { entryNumbers, readTrial, trialVariable } from './efi-boot-control.ts';
import type { EfiVariables } from './efi-variables.ts';

/** Ours: which slots began to start since one came to its end. */
export const begunVariable = { name: 'EnigmBegun', vendor: trialVariable.vendor } as const;

/**
 * Once a boot, before anything else may point firmware to a slot. A trial that has tries left keeps them; one whose last
 * start did not even come to its first root loses one here.
 * @param markPath of this boot: there once the guard is gone
 */
export const endStart = async (variables: EfiVariables, running: SlotName, markPath: string): Promise<Result<void>> => {
  if (isStartEnded(markPath)) return done;
  const pointed = await pointNext(variables, running);
  if (!pointed.ok) return pointed;
  const forgotten = await variables.remove(begunVariable.name, begunVariable.vendor);
  if (!forgotten.ok) return forgotten;
  return attempt(
    () => writeFileSync(markPath, ''),
    (cause) => deny('unavailable', 'storage-failed', cause),
  );
};

export const isStartEnded = (markPath: string): boolean => existsSync(markPath);

/** Before the guard is gone, where the next start goes: to a trial that has tries left, or where the boot order says. */
export const pointNext = async (variables: EfiVariables, running: SlotName): Promise<Result<void>> => {
  const trial = readTrial(variables);
  if (!trial.ok) return trial;
  const next = variables.read('BootNext', globalVendor);
  if (!next.ok) return next;
  if (trial.value === undefined || trial.value.triesLeft === 0) return variables.remove('BootNext', globalVendor);
  const { slot, triesLeft } = trial.value;
  const entry = entryNumbers[slot];
  if (next.value !== undefined && decodeBootOrder(next.value)[0] === entry) return done;
  if (slot === running) return variables.remove('BootNext', globalVendor);
  const counted = await variables.write(trialVariable.name, trialVariable.vendor, utf8(`${slot}${triesLeft - 1}`));
  if (!counted.ok) return counted;
  return triesLeft > 1 ? variables.write('BootNext', globalVendor, u16le(entry)) : variables.remove('BootNext', globalVendor);
};
