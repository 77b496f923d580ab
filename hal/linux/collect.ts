/**
 * Has V8 give back at once what nobody holds any more. OpenSSL clears a private key when it is freed, but Node frees it with
 * the object that stands for it, and that is whenever V8 next collects.
 */
import { type Collect, collector } from '#hal/core/garbage';

let collectGarbage: Collect | undefined;

/** A few milliseconds, in which nothing else of the program runs. */
export const collect = (): void => {
  collectGarbage ??= collector();
  collectGarbage({ type: 'major' });
};
