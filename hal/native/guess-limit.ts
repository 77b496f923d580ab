/** Whether a TPM limits guesses of authorization values (TPM 2.0 Part 1 §19.8). As it is delivered, anybody may undo that. */
import { parse } from '#hal/core/reader';
import { deny, done, type Result } from '#hal/core/result';
import type { Esys } from './esys.ts';

/** TPM_CAP_TPM_PROPERTIES, Part 2 §6.12. */
const properties = 6;
/** TPM_PT, Part 2 §6.13: TPMA_PERMANENT; wrong ones until it locks itself; seconds after which it forgets one. */
const property = { permanent: 0x200, maxAuthFail: 0x20f, lockoutInterval: 0x210 } as const;
/** TPMA_PERMANENT, Part 2 §8.6. */
const lockoutAuthSet = 1 << 2;
/** TPMs come with some tens. */
const mostTries = 1000;

/**
 * Whoever has the lockout password sets the count back (Part 3 §25.2), so it has to be one that a thief does not know.
 *
 * Limit: what the TPM says here is not authenticated. This finds a TPM that was left as it came, not a bus that is owned.
 * @returns nothing, or `unavailable/tpm-unguarded`
 */
export const checkGuessLimit = async (esys: Esys): Promise<Result<void>> => {
  const wanted = property.lockoutInterval - property.permanent + 1;
  const [, data] = await esys.getCapability([], properties, property.permanent, wanted);
  const read = parse(
    data,
    (reader) => {
      reader.u32be();
      const count = Math.min(reader.u32be(), wanted);
      return new Map(Array.from({ length: count }, () => [reader.u32be(), reader.u32be()] as const));
    },
    (why) => deny('unavailable', 'tpm-failed', `TPMS_CAPABILITY_DATA: ${why}`),
  );
  if (!read.ok) return read;
  const tries = read.value.get(property.maxAuthFail) ?? Number.POSITIVE_INFINITY;
  const forgetsAfterSeconds = read.value.get(property.lockoutInterval) ?? 0;
  if (tries > mostTries || forgetsAfterSeconds === 0)
    return deny('unavailable', 'tpm-unguarded', `it takes ${tries} guesses, and forgets one each ${forgetsAfterSeconds} seconds`);
  return ((read.value.get(property.permanent) ?? 0) & lockoutAuthSet) !== 0
    ? done
    : deny('unavailable', 'tpm-unguarded', 'its lockout password is empty');
};
