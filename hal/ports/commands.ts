/** Running a program of the system. Only the hands, and what tests set up, have this. */
import type { Result } from '#hal/core/result';

export interface Commands {
  /**
   * Runs to the end, bounded in time and output.
   * @param program its whole path
   * @param input what it reads, at most 60 KiB
   * @returns what a program said that ended with 0; else `unavailable/not-supported` with what it said, or
   * `resource/time-limit`
   */
  run(program: string, words: readonly string[], input?: string): Promise<Result<string>>;
}
