/** A socket that what this process was started with cannot be connected to: it was made later. */
import { statSync } from 'node:fs';
import type { Clock } from '#hal/ports/clock';

const lookMs = 500;

/**
 * @returns true when there is a socket that is younger than this process, or another one than at the call; false when the
 * signal aborts
 */
export const socketReplaced = async (path: string, clock: Clock, signal: AbortSignal): Promise<boolean> => {
  const before = look(path);
  // By the clock of the file system, and once: it may jump later. One from the future was there before it was set back.
  if (before !== undefined && before.madeMs > performance.timeOrigin && before.madeMs <= clock.nowMs()) return true;
  while (!signal.aborted) {
    const present = look(path);
    if (present !== undefined && present.name !== before?.name) return true;
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
