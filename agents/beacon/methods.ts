/** The door of the beacon relay. Nothing behind it asks for a posture, a policy, a session or the mind (SR-11). */
import type { Methods } from '#hal/remote/methods';

export const beaconMethods = {
  'beacon.status': { request: 'BeaconQuery', reply: 'BeaconStatus' },
  'beacon.pair': { request: 'BeaconPairing', reply: 'Nothing' },
  'beacon.test': { request: 'Nothing', reply: 'BeaconAsked' },
  'beacon.contacts': { request: 'BeaconContactsChange', reply: 'BeaconContacts' },
  'beacon.pins': { request: 'BeaconPins', reply: 'Nothing' },
  /** Ends the conversation with the Key, so that it can sleep; it ends by itself a little later. */
  'beacon.release': { request: 'Nothing', reply: 'Nothing' },
} as const satisfies Methods;

export type BeaconMethods = typeof beaconMethods;
