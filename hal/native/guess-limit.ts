/** Whether a TPM limits guesses of authorization values (TPM 2.0 Part 1 §19.8): its owner can switch that off. */
import { parse } from '#hal/core/reader';
import { deny, done, type Result } from '#hal/core/result';
import type { Esys } from './esys.ts';

/** TPM_CAP_TPM_PROPERTIES, Part 2 §6.12. */
const properties = 6;
/** TPM_PT, Part 2 §6.13: wrong ones until it locks itself, and the seconds after which it forgets one. */
const maxAuthFail = 0x20f;
const lockoutInterval = 0x210;
/** With 32 tries and some minutes each, which is what TPMs come with, a PIN of six digits holds for years. */
const mostTries = 1000;

/**
 * What the TPM says is not authenticated: this finds a TPM that is set up carelessly, not one whose bus is owned.
 * @returns nothing, or `unavailable/not-supported` where it does not
 */
export const checkGuessLimit = async (esys: Esys): Promise<Result<void>> => {
  const [, data] = await esys.getCapability([], properties, maxAuthFail, 2);
  const read = parse(
    data,
    (reader) => {
      reader.u32be();
      const values = Array.from({ length: Math.min(reader.u32be(), 2) }, () => [reader.u32be(), reader.u32be()] as const);
      return new Map(values);
    },
    (why) => deny('unavailable', 'tpm-failed', `TPMS_CAPABILITY_DATA: ${why}`),
  );
  if (!read.ok) return read;
  const tries = read.value.get(maxAuthFail) ?? mostTries + 1;
  const forgetsAfterSeconds = read.value.get(lockoutInterval) ?? 0;
  return tries <= mostTries && forgetsAfterSeconds > 0
    ? done
    : deny(
        'unavailable',
        'not-supported',
        `this TPM takes ${tries} guesses, and forgets one each ${forgetsAfterSeconds} seconds`,
      );
};
