/** One request and its answer with a far end; the bytes are opaque to whoever carries them. */
import type { Result } from '#hal/core/result';

export interface Exchange {
  /**
   * @param endpoint name of a far end in the site configuration
   * @param body at most 3 MiB
   * @returns the answer's bytes, or `unavailable/peer-unreachable`, `unavailable/peer-refused-us`, `resource/time-limit`, `protocol/too-large`
   */
  post(endpoint: string, body: Uint8Array, signal: AbortSignal): Promise<Result<Uint8Array>>;
}
