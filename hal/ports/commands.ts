/** Running a program of the system. Only the hands, and what tests set up, have this. */
import type { Result } from '#hal/core/result';

export interface Commands {
  /**
   * Runs to the end, bounded in time and output.
   * @returns standard output of a program that ended with 0; else `unavailable/not-supported` with what it said
   */
  run(program: string, words: readonly string[]): Promise<Result<string>>;
}
