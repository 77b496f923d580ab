/** A socket that what this process was started with cannot be connected to: it was made later. */
import { statSync } from 'node:fs';
import type { Clock } from '#hal/ports/clock';

const lookMs = 500;

/**
 * @returns true when there is a socket that is younger than this process, or another one than at the call; false when the
 * signal aborts
 */
export const socketReplaced = async (path: string, clock: Clock, signal: AbortSignal): Promise<boolean> => {
  // On the clock of the file system, which may jump later: that only counts for what was there before the first look.
  const beganMs = performance.timeOrigin;
  const before = look(path);
  while (!signal.aborted) {
    const present = look(path);
    // One from the future was there before a clock was set back.
    const isYounger = present !== undefined && present.madeMs > beganMs && present.madeMs <= clock.nowMs();
    if (isYounger || (present !== undefined && present.name !== before?.name)) return true;
    await clock.sleep(lookMs, signal);
  }
  return false;
};

const look = (path: string): { readonly name: string; readonly madeMs: number } | undefined => {
  try {
    const { ino, ctimeMs } = statSync(path);
    return { name: `${ino} ${ctimeMs}`, madeMs: ctimeMs };
  } catch {
    return undefined;
  }
};
