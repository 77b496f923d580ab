/** Switches over a door: what the hands offer the mind, and a simulator its machine's hands. */
import { deny, ok, type Result } from '#hal/core/result';
import { type Switches, type SwitchName, switchNames } from '#hal/ports/switches';
import type { HandsMethods } from '#hal/remote/hands-methods';
import type { Handlers } from '#hal/remote/methods';
import type { SwitchStates } from '#protos/gen/types';

const isSwitch = (name: string): name is SwitchName => (switchNames as readonly string[]).includes(name);

export const switchHandlers = (switches: Switches): Pick<Handlers<HandsMethods>, 'switches.set' | 'switches.read'> => ({
  'switches.set': async ({ name, isOn }) => {
    if (!isSwitch(name)) return deny('unavailable', 'not-supported', name);
    const set = await switches.set(name, isOn);
    return set.ok ? ok({}) : set;
  },
  'switches.read': async () => {
    const states = await switches.read();
    return states.ok ? ok({ switches: [...states.value].map(([name, isOn]) => ({ name, isOn })) }) : states;
  },
});

/** The other side of `switches.read`. */
export const switchStates = (answer: Result<SwitchStates>): Result<ReadonlyMap<SwitchName, boolean>> =>
  answer.ok ? ok(new Map(answer.value.switches.map(({ name, isOn }) => [name as SwitchName, isOn]))) : answer;
