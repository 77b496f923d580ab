/** The firmware's log of what it measured at this boot (TCG PC Client Platform Firmware Profile). */
import type { Result } from '#hal/core/result';

export interface BootLog {
  /** The raw log, at most 1 MiB; no bytes where the firmware kept none. */
  read(): Promise<Result<Uint8Array>>;
}
