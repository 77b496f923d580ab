/** Reading what `enigmctl --json` printed. */
import { type Fault, faultFrom } from '#hal/core/result';
import type { CommandOutcome } from '#sim/world/world';

/** The refusal of a command, where it was refused. */
export const faultOf = ({ code, json, said }: CommandOutcome): Fault | undefined => {
  const fault = json['fault'] as { readonly category: string; readonly reason: string } | undefined;
  if (fault !== undefined) return faultFrom(fault.category, fault.reason);
  return code === 0 ? undefined : { category: 'unavailable', reason: 'program-down', detail: said.trim() };
};

export const textOf = (json: CommandOutcome['json'], key: string): string => String(json[key] ?? '');

/** `category/reason` as messages carry it. */
export const faultOfCode = (code: string): Fault => {
  const [category = '', reason = ''] = code.split('/');
  return faultFrom(category, reason);
};
