/**
 * Lets go of buffers that were used once, and that nobody can give back (`release-memory.ts`). The engine keeps their memory
 * until it next collects garbage, and lets about 64 MiB of them gather before it does; a program that passes a large image on
 * in small pieces would hold that much for nothing.
 */
import { type Collect, collector } from './garbage.ts';

const youngEachBytes = 2 * 1024 * 1024;
/** What lived through two of those is old, as a batch of pieces is that are decoded one by one. */
const allEachBytes = 32 * 1024 * 1024;

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
