/** Parts of files that a repository publishes. What they are worth is decided by whoever verifies them. */
import type { Result } from '#hal/core/result';

export interface HttpRange {
  /**
   * @param endpoint name of a repository in the site configuration
   * @param path below it: segments of letters, digits, `.`, `_` and `-`, no two dots in a row
   * @param mostBytes length asked for, at most 1 MiB; fewer bytes come where the file ends earlier
   * @returns the bytes; `unavailable/not-found`, `unavailable/peer-unreachable`, `unavailable/peer-refused-us`,
   *   `protocol/range-ignored`, `protocol/too-large`, `resource/time-limit`
   */
  read(endpoint: string, path: string, offset: number, mostBytes: number, signal: AbortSignal): Promise<Result<Uint8Array>>;
}

export const maxRangeBytes = 1024 * 1024;
export const repositoryPath = /^(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\/)*[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
