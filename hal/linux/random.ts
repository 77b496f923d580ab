import { randomBytes } from 'node:crypto';
import type { Random } from '#hal/ports/random';

/** The kernel's generator, through OpenSSL's. */
export const systemRandom: Random = { bytes: (count) => new Uint8Array(randomBytes(count)) };
