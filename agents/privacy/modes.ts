/**
 * What each privacy mode switches off.
 *
 * No mode touches a radio that an emergency alert may need: policy cannot take it away, only the user's own act can
 * (SR-11). NFC carries no alert.
 */
import { type SwitchName, switchNames } from '#hal/ports/switches';
import type { PrivacyMode } from '#protos/gen/types';

const off: Readonly<Record<PrivacyMode, readonly SwitchName[]>> = {
  standard: [],
  private: ['nfc', 'location'],
  lockdown: ['nfc', 'location', 'camera', 'microphone'],
};

/** Switches that a mode decides; the others stay as the user left them. */
export const decidedSwitches: readonly SwitchName[] = switchNames.filter((name) => off.lockdown.includes(name));

export interface SwitchChange {
  readonly name: SwitchName;
  readonly isOn: boolean;
}

/**
 * @param present what the machine has, as it was read
 * @returns what to switch so that the mode holds; a part that the machine does not have needs nothing
 */
export const planSwitches = (mode: PrivacyMode, present: ReadonlyMap<SwitchName, boolean>): readonly SwitchChange[] =>
  decidedSwitches
    .map((name) => ({ name, isOn: !off[mode].includes(name) }))
    .filter(({ name, isOn }) => present.has(name) && present.get(name) !== isOn);

/** Whether what was read back is what the mode asks for. */
export const holdsMode = (mode: PrivacyMode, present: ReadonlyMap<SwitchName, boolean>): boolean =>
  planSwitches(mode, present).length === 0;
