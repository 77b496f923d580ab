/** The director's door to devices. */
import type { Methods } from '#hal/remote/methods';

export const directorMethods = {
  'director.targets': { request: 'DirectorCall', reply: 'DirectorTargets' },
} as const satisfies Methods;

export type DirectorMethods = typeof directorMethods;

/** How the director is called as a relying party of the verifier. */
export const directorParty = 'director';
