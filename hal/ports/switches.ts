/** What can be switched off for privacy. A switch shows what was read back, not what was asked for. */
import type { Result } from '#hal/core/result';

/** Radios carry emergency alerts too: only the user's own act switches them off (SR-11). */
export const radioNames = ['wifi', 'bluetooth', 'cellular', 'nfc'] as const;
export const sensorNames = ['camera', 'microphone', 'location'] as const;
export const switchNames = [...radioNames, ...sensorNames] as const;
export type SwitchName = (typeof switchNames)[number];

export interface Switches {
  /** @returns `unavailable/not-supported` where the machine has no such part */
  set(name: SwitchName, isOn: boolean): Promise<Result<void>>;
  /** Every part that the machine has, as it is now. */
  read(): Promise<Result<ReadonlyMap<SwitchName, boolean>>>;
}
