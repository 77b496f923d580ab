/**
 * What the boot loader will start next. Every change is durable and read back before it is reported
 * (an adapter that cannot read back does not fulfil this port).
 */
import type { Result } from '#hal/core/result';
import type { SlotName } from '#hal/ports/slots';

export interface BootControl {
  /** @returns the state, or `unavailable/storage-failed` where the store cannot be read */
  read(): Promise<Result<BootState>>;
  /** Never started from now on. */
  markUnbootable(slot: SlotName): Promise<Result<void>>;
  /** Started before all others while it has tries left; each start costs one. @param tries 1 to 7 */
  armTrial(slot: SlotName, tries: number): Promise<Result<void>>;
  /** Good, started first; it loses no tries. */
  commit(slot: SlotName): Promise<Result<void>>;
  /** Good, started when the preferred slot cannot be. */
  markFallback(slot: SlotName): Promise<Result<void>>;
}

export interface BootState {
  readonly running: RunningSlot;
  /** Among good slots the one that is started first. */
  readonly preferred: SlotName;
  readonly slots: Readonly<Record<SlotName, BootSlot>>;
}

export interface BootSlot {
  readonly state: 'unbootable' | 'trial' | 'good';
  /** 0 unless `trial`. */
  readonly triesLeft: number;
}

/** As measured of this boot, not as labelled by the boot loader. */
export interface RunningSlot {
  readonly slot: SlotName;
  /** dm-verity root hash that the running root file system was opened with: 32 bytes. */
  readonly verityRoot: Uint8Array;
}

export const maxTries = 7;
