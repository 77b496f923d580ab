/**
 * Which parts of the Key exist in which state. The board powers exactly these and refuses every other effect, so that a
 * fault of the reducer cannot transmit: in `dormant` there is no radio, no position and no line to write to.
 */
import type { Domain, Effect } from './effects.ts';
import type { State } from './table.ts';

const byState: { readonly [S in State]: readonly Domain[] } = {
  factory: [],
  dormant: [],
  wake: ['advertise', 'link', 'secure'],
  bound: ['link', 'secure'],
  pairing: ['link', 'secure'],
  arming: ['haptic'],
  countdown: ['haptic'],
  alerting: ['haptic', 'transmit', 'locate', 'secure'],
  'cancel-sent': ['haptic', 'transmit'],
  safe: [],
  update: ['link'],
};

/** A covert alert that has begun adds what an alert needs, and nothing that can be felt. */
const whileCovert: readonly Domain[] = ['transmit', 'locate', 'secure'];

export const domainsOf = (state: State, isCovert: boolean): readonly Domain[] =>
  isCovert ? [...new Set([...byState[state], ...whileCovert])] : byState[state];

const domainOfEffect: { readonly [D in Effect['do']]: Domain | 'always' } = {
  persist: 'always',
  power: 'always',
  sleep: 'always',
  haptic: 'haptic',
  advertise: 'advertise',
  link: 'link',
  handshake: 'secure',
  confirm: 'secure',
  code: 'secure',
  contact: 'secure',
  forget: 'secure',
  prepare: 'secure',
  dock: 'secure',
  tidy: 'always',
  transmit: 'transmit',
  locate: 'locate',
};

/** An effect of a step belongs to the state that was left or to the one that was entered. */
export const isAllowed = (effect: Effect, before: readonly Domain[], after: readonly Domain[]): boolean => {
  const domain = domainOfEffect[effect.do];
  return domain === 'always' || before.includes(domain) || after.includes(domain);
};
