/**
 * The state table of the Key: twelve rows by twenty-three events. A missing cell ignores the event and counts it.
 *
 * Eleven rows are the visible machine. The twelfth, `covert`, is a flag beside it and no state of it (SR-24): cancel and
 * duress take the visible machine through exactly the same cells, and nothing visible reads the flag.
 *
 * `sos` is live in every state but `factory` and `arming`; in `alerting` the press objects to an end that contacts
 * propose (SR-27). `table.golden.json` is the same table, written independently of this one.
 */
export const states = [
  'factory',
  'dormant',
  'wake',
  'bound',
  'pairing',
  'arming',
  'countdown',
  'alerting',
  'cancel-sent',
  'safe',
  'update',
] as const;
export type State = (typeof states)[number];

export const events = [
  'timer',
  'sos',
  'release',
  'chord',
  'vbus',
  'unplug',
  'hostSess',
  'hostRelease',
  'hostArm',
  'testReq',
  'pairOk',
  'pairFail',
  'fwOk',
  'fwBad',
  'cancelPin',
  'duressPin',
  'badPin',
  'ackSome',
  'ackAll',
  'resolved',
  'lowBatt',
  'wdt',
  'fault',
] as const;
export type Event = (typeof events)[number];

export type Action =
  | 'feel-press'
  | 'feel-countdown'
  | 'feel-alert'
  | 'feel-ack'
  | 'feel-cancel'
  | 'feel-refused'
  | 'advertise'
  | 'dock'
  | 'make-alert'
  | 'make-test'
  | 'open'
  | 'erase'
  | 'recall'
  | 'close'
  | 'object'
  | 'count-try'
  | 'locate'
  | 'save-ledger';

export type Cell<S extends string> = readonly [next: S, ...actions: Action[]];
export type Row<S extends string> = { readonly [E in Event]?: Cell<S> };

const rest: Cell<State> = ['dormant', 'save-ledger'];
const press: Cell<State> = ['arming', 'feel-press', 'make-alert'];

export const visible: { readonly [S in State]: Row<State> } = {
  factory: { vbus: ['pairing'], fault: ['safe'] },
  /** No timer, no radio, no position, not one byte: the only ways out are a press, a chord, the cable and a fault. */
  dormant: { sos: press, chord: ['wake', 'advertise'], vbus: ['wake'], wdt: rest, fault: ['safe'] },
  wake: { timer: rest, hostSess: ['bound', 'dock'], sos: press, unplug: rest, wdt: rest, fault: ['safe'] },
  bound: {
    timer: rest,
    hostRelease: rest,
    unplug: rest,
    sos: press,
    hostArm: ['countdown', 'feel-countdown', 'make-alert'],
    testReq: ['countdown', 'feel-countdown', 'make-test'],
    chord: ['pairing'],
    fwOk: ['update'],
    wdt: rest,
    fault: ['safe'],
  },
  pairing: { timer: rest, pairOk: ['bound', 'dock'], pairFail: rest, unplug: rest, sos: press, wdt: rest, fault: ['safe'] },
  arming: {
    timer: ['countdown', 'feel-countdown'],
    release: ['dormant', 'feel-cancel', 'erase', 'save-ledger'],
    fault: ['arming', 'feel-press'],
    wdt: ['arming', 'feel-press'],
  },
  /** Nothing has been sent yet: cancel is silent, and so is what it looks like under duress. */
  countdown: {
    timer: ['alerting', 'feel-alert', 'open'],
    sos: ['alerting', 'feel-alert', 'open'],
    cancelPin: ['dormant', 'feel-cancel', 'erase', 'save-ledger'],
    duressPin: ['dormant', 'feel-cancel', 'erase', 'save-ledger'],
    badPin: ['countdown', 'feel-refused', 'count-try'],
    wdt: ['countdown'],
  },
  alerting: {
    timer: ['alerting'],
    sos: ['alerting', 'object'],
    cancelPin: ['cancel-sent', 'feel-cancel', 'recall'],
    duressPin: ['cancel-sent', 'feel-cancel', 'recall'],
    badPin: ['alerting', 'feel-refused', 'count-try'],
    ackSome: ['alerting', 'feel-ack'],
    ackAll: ['alerting', 'feel-ack'],
    resolved: ['cancel-sent', 'feel-cancel', 'close'],
    lowBatt: ['alerting', 'locate'],
    wdt: ['alerting'],
  },
  'cancel-sent': {
    timer: ['dormant', 'erase', 'save-ledger'],
    ackSome: ['cancel-sent'],
    ackAll: ['dormant', 'erase', 'save-ledger'],
    sos: press,
    wdt: ['cancel-sent'],
  },
  safe: { sos: press, vbus: ['wake'], wdt: ['safe'] },
  update: { timer: rest, fwOk: rest, fwBad: rest, unplug: rest, fault: rest, wdt: rest, sos: press },
};

/**
 * The twelfth row. It ends by the cancel PIN, entered in a later countdown or alert, or by its maximum time, which is
 * not an event of this table; never by contacts (SR-27).
 */
export const covert: Row<'on' | 'off'> = {
  timer: ['on'],
  sos: ['on'],
  vbus: ['on'],
  duressPin: ['on'],
  ackSome: ['on'],
  ackAll: ['on'],
  lowBatt: ['on', 'locate'],
  wdt: ['on'],
  cancelPin: ['off', 'close'],
};

/** How long a state lasts by itself; then `timer` is fired. */
export const stateMs: { readonly [S in State]?: number } = {
  wake: 30_000,
  bound: 120_000,
  pairing: 60_000,
  arming: 3_000,
  countdown: 10_000,
  'cancel-sent': 900_000,
  update: 300_000,
};
