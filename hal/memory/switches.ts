/** `Switches` of a machine that is not there: they keep what they are told. */
import { deny, done, ok } from '#hal/core/result';
import { type Switches, type SwitchName, switchNames } from '#hal/ports/switches';

/** @param parts what the machine has */
export const memorySwitches = (parts: readonly SwitchName[] = switchNames): Switches => {
  const states = new Map<SwitchName, boolean>(parts.map((name) => [name, true]));
  return {
    async set(name, isOn) {
      if (!states.has(name)) return deny('unavailable', 'not-supported', name);
      states.set(name, isOn);
      return done;
    },
    read: async () => ok(new Map(states)),
  };
};
