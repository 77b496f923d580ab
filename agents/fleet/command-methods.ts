/** Command's door to devices: joining the fleet. Everything after that goes over the broker. */
import type { Methods } from '#hal/remote/methods';

export const commandMethods = {
  'fleet.join': { request: 'FleetJoin', reply: 'FleetJoined' },
} as const satisfies Methods;

export type CommandMethods = typeof commandMethods;

/** How Command is called as a relying party of the verifier. */
export const commandParty = 'command';
