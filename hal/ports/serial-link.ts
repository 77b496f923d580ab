/**
 * A byte stream to a device on a line. Nothing here says that bytes arrived: a write that succeeds was handed to the
 * system, and a line whose far end is gone may look alive.
 */
import type { Result } from '#hal/core/result';

export interface SerialLink {
  /** @returns the next bytes, at least one, as they came; or `unavailable/link-down`, `unavailable/aborted` */
  read(signal: AbortSignal): Promise<Result<Uint8Array>>;
  /** @returns nothing, or `unavailable/link-down` */
  write(bytes: Uint8Array): Promise<Result<void>>;
  /** A read that waits gets `unavailable/link-down`; closing twice is harmless. */
  close(): Promise<void>;
}

/** A place where a line may be. At most one link is open at a time. */
export interface SerialLinks {
  /** @returns a link, or `unavailable/link-down` */
  open(): Promise<Result<SerialLink>>;
}
