/** The door of a simulator to the hands of its machine: parts that an emulator has not. In no release (SR-04). */
import type { Methods } from '#hal/remote/methods';

export const peripheralMethods = {
  'switches.set': { request: 'SwitchState', reply: 'Nothing' },
  'switches.read': { request: 'Nothing', reply: 'SwitchStates' },
  'signals.take': { request: 'Nothing', reply: 'CallWindows' },
  'supply.read': { request: 'Nothing', reply: 'SupplyFacts' },
  'health.read': { request: 'RunningRoot', reply: 'HealthReadings' },
} as const satisfies Methods;

export type PeripheralMethods = typeof peripheralMethods;
