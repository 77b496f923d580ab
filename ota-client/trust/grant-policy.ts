/**
 * What a device does with a release that is carried to it and is no repair. `off`: the director is asked. `accept`: a
 * technician may say it under a grant; where none does, the director is asked. `require`: without that it is refused.
 */
export const grantPolicies = ['off', 'accept', 'require'] as const;
export type GrantPolicy = (typeof grantPolicies)[number];
