import { randomFillSync } from 'node:crypto';
import { fixedBytes } from '#hal/core/bytes';
import type { Random } from '#hal/ports/random';

/** The kernel's generator, through OpenSSL's. */
export const systemRandom: Random = { bytes: (count) => randomFillSync(fixedBytes(count)) };
