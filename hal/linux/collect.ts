/**
 * Has V8 give back at once what nobody holds any more. OpenSSL clears a private key when it is freed, but Node frees it with
 * the object that stands for it, and that is whenever V8 next collects.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** A few milliseconds, in which nothing else of the program runs. */
export const collect = (): void => collectGarbage();
