/**
 * What each privacy mode switches off. A mode only ever takes away: what a person switched off stays off in every mode,
 * and what a mode switched off a person switches on again once no mode forbids it.
 *
 * No mode touches a radio that an emergency alert may need: policy cannot take it away, only the user's own act can
 * (SR-11). NFC carries no alert.
 */
import type { SwitchName } from '#hal/ports/switches';
import type { PrivacyMode } from '#protos/gen/types';

const off: Readonly<Record<PrivacyMode, readonly SwitchName[]>> = {
  standard: [],
  private: ['nfc', 'location'],
  lockdown: ['nfc', 'location', 'camera', 'microphone'],
};

/**
 * @param present what the machine has, as it was read
 * @returns what to switch off so that the mode holds; a part that the machine does not have needs nothing
 */
export const planSwitches = (mode: PrivacyMode, present: ReadonlyMap<SwitchName, boolean>): readonly SwitchName[] =>
  off[mode].filter((name) => present.get(name) === true);

/** Whether what was read back is what the mode asks for. */
export const holdsMode = (mode: PrivacyMode, present: ReadonlyMap<SwitchName, boolean>): boolean =>
  planSwitches(mode, present).length === 0;
