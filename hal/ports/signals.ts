/**
 * What the programs of this device do, as Active Defense may see it: which system calls, in which order. No argument,
 * path, address or byte of data passes through this port: a window is numbers of calls, and its app a slug.
 */
import type { Result } from '#hal/core/result';

export interface Signals {
  /**
   * Hands out each window once, oldest first.
   * @returns at most `windowLimits.held` windows; the oldest are lost where more wait
   */
  take(): Promise<Result<readonly CallWindow[]>>;
}

/** Calls of one thread, next to one another. */
export interface CallWindow {
  readonly app: string;
  /** Numbers of system calls in the kernel's own table for this processor. */
  readonly calls: readonly number[];
}

export const windowLimits = {
  /** Calls in a window. */
  calls: 128,
  /** From one window of a thread to the next: windows overlap, so that nothing hides in a seam. */
  step: 64,
  /** A thread that made fewer calls than this shows too little to be judged. */
  least: 16,
  /** Numbers of calls are below this. */
  callNumber: 1024,
  /** Windows that wait to be taken. */
  held: 64,
} as const;
