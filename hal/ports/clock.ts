/** Time as a parameter. Wall time is for people and expiry; freshness is judged by nonce and boot time (SR-16). */
export interface Clock {
  /** Wall time in milliseconds since 1970-01-01T00:00:00Z; may jump. */
  nowMs(): number;
  /** CLOCK_BOOTTIME: milliseconds since this boot, suspend included; never goes back within a boot. */
  bootMs(): number;
  /** Resolves after `durationMs`, or at once when the signal aborts. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
}
