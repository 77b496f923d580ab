/**
 * Lets go of buffers that were used once. The engine keeps their memory until it next collects garbage, and lets about
 * 64 MiB of them gather before it does; a program that passes a large image on in small pieces would hold that much for
 * nothing. Collecting after each few pieces costs no more than the page faults of new memory.
 *
 * Measured with 256 MiB through three programs, every byte from the network: 145 to 97 MiB resident in the one that decodes,
 * 133 to 73 in the one that fetches, 132 to 62 in the one that writes.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const youngEachBytes = 1024 * 1024;
/** What lived through two of those is old, as a batch of pieces is that are decoded one by one. */
const allEachBytes = 24 * 1024 * 1024;

type Collect = (options: { readonly type: 'minor' | 'major' }) => void;
let collect: Collect | undefined;
let youngBytes = 0;
let allBytes = 0;

/** @param bytes of a buffer that was just made, and will not be kept */
export const passed = (bytes: number): void => {
  youngBytes += bytes;
  if (youngBytes < youngEachBytes) return;
  allBytes += youngBytes;
  youngBytes = 0;
  collect ??= collector();
  collect({ type: allBytes < allEachBytes ? 'minor' : 'major' });
  if (allBytes >= allEachBytes) allBytes = 0;
};

/** The engine offers it to new contexts once it was asked to, without a flag at the start of the program. */
const collector = (): Collect => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
};
