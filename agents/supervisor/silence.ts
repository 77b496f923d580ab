/**
 * How long the mind has been silent, over all lives of the supervisor since the machine started: one that ends again and
 * again, before or after it asked, must not feed the watchdog for ever (SR-13).
 */
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import type { Clock } from '#hal/ports/clock';

export interface Silence {
  /** It answered just now. */
  heard(): void;
  forMs(): number;
}

/** @param path in memory: of a file that is gone with this start of the machine. Counts from the first life until it is heard */
export const silenceOfMind = (path: string, clock: Pick<Clock, 'bootMs'>): Silence => {
  const note = (sinceMs: number): number => {
    // Where nothing can be kept, this life counts alone.
    writeAtomically(path, Buffer.from(String(sinceMs)));
    return sinceMs;
  };
  let sinceMs = noted(path) ?? note(clock.bootMs());
  return {
    heard: () => {
      sinceMs = note(clock.bootMs());
    },
    forMs: () => clock.bootMs() - sinceMs,
  };
};

const noted = (path: string): number | undefined => {
  const file = readIfThere(path);
  if (!file.ok || file.value === undefined) return undefined;
  const text = Buffer.from(file.value).toString('latin1');
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
};
