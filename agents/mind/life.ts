/** The hands' present life as the mind sees it: boot id, permit key and the next sequence (SR-01). */

import { policyDigest } from '#agents/decision/policy';
import { equalBytes } from '#hal/core/bytes';
import { maxPermitLifeMs, mintPermit } from '#hal/core/permit';
import { deny, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { HandsHello } from '#protos/gen/types';
import type { HandsLife } from './parts.ts';

/** A decision is carried out at once; a permit that lies about longer than this is not wanted. */
const permitLifeMs = maxPermitLifeMs / 2;

/**
 * @param hello asks the hands anew: after their restart the key is another one, and only the new one counts
 * @param first their first answer, which fixes the boot
 */
export const handsLife = (clock: Clock, hello: () => Promise<Result<HandsHello>>, first: HandsHello): HandsLife => {
  let lastSequence = first.lastSequence;
  return {
    bootId: first.bootId,
    isSimulated: first.isSimulated,
    async mint(call, auditLeaf) {
      const present = await hello();
      if (!present.ok) return present;
      if (!equalBytes(present.value.bootId, first.bootId)) return deny('authorization', 'permit-boot');
      lastSequence = Math.max(lastSequence, present.value.lastSequence) + 1;
      const notAfterBootMs = clock.bootMs() + permitLifeMs;
      return ok(
        mintPermit(present.value.permitKey, {
          ...call,
          bootId: first.bootId,
          sequence: lastSequence,
          notAfterBootMs,
          policyDigest,
          auditLeaf,
        }),
      );
    },
  };
};
