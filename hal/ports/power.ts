/** The machine's power. */
import type { Result } from '#hal/core/result';

export interface Power {
  /**
   * Restart the machine; resolves when the restart has been ordered, just before it happens.
   * @param cause a slug for the log of the next boot
   */
  reboot(cause: string): Promise<Result<void>>;
}
