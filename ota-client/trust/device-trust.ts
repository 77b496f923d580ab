/** How a device trusts a repository: by the custodian rule and by keys of two schemes, and in no other way (SR-09). */
import { custodianRule } from './custodians.ts';
import { deviceSchemes } from './keys.ts';
import type { Trust } from './session.ts';

export const deviceTrust = (parts: Omit<Trust, 'rule' | 'schemes'>): Trust => ({
  ...parts,
  rule: custodianRule,
  schemes: deviceSchemes,
});
