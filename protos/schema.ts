/** What is made of the table of a message's fields: once, when it is first asked for. */
import { messages } from './gen/fields.ts';
import type { FieldRule } from './rules.ts';

export type MessageRules = Readonly<Record<string, FieldRule>>;

/** @returns what `make` makes of a message, by its name. @throws TypeError for a name without a message */
export const perMessage = <T>(make: (rules: MessageRules, name: string) => T): ((name: string) => T) => {
  const made = new Map<string, T>();
  return (name) => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const rules = messages[name];
    if (rules === undefined) throw new TypeError(`no message ${name}`);
    const one = make(rules, name);
    made.set(name, one);
    return one;
  };
};

/** @returns the keys of each group, of which one is there */
export const groupsIn = (rules: MessageRules): ReadonlyMap<string, readonly string[]> => {
  const groups = new Map<string, string[]>();
  for (const [key, { group }] of Object.entries(rules))
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), key]);
  return groups;
};
