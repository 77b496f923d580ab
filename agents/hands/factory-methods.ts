/** The door of the factory and the technician; it is not served by a device that is provisioned. */
import type { Methods } from '#hal/remote/methods';

export const factoryMethods = {
  'provision.inspect': { request: 'Nothing', reply: 'ProvisionState' },
  'provision.run': { request: 'ProvisionRequest', reply: 'Nothing' },
  'provision.finish': { request: 'ProvisionFinish', reply: 'Receipt' },
} as const satisfies Methods;

export type FactoryMethods = typeof factoryMethods;
