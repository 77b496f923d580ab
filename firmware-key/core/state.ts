/** Everything that the Key knows. Plain values, never changed in place. */
import type { Purpose, Verb } from './alert-format.ts';
import { emptyReader, type FrameReader } from './frame.ts';
import { type Gestures, noGesture } from './gestures.ts';
import { freshLedger, type Ledger } from './ledger.ts';
import { empty } from './octets.ts';
import type { Session } from './session.ts';
import type { State } from './table.ts';

/** Limits and times that the documents name; reaching one is refused or counted, never ignored. */
export const limits = {
  contacts: 8,
  tiers: 3,
  reservedSequences: 64,
  pinTries: 3,
  auditEntries: 16,
  cableWakeMs: 60_000,
  confirmMs: 10_000,
  setupWindowMs: 300_000,
  lowBatteryPercent: 10,
} as const;

export const alertMs = {
  retries: [5_000, 10_000, 20_000, 40_000, 60_000],
  tier: 120_000,
  update: 60_000,
  lowBatteryUpdate: 300_000,
  objection: 60_000,
  longest: 86_400_000,
  longestTest: 600_000,
  covertDelay: { least: 5_000, most: 60_000 },
} as const;

export interface Contact {
  /** Also where its messages go: an opaque name, 16 bytes in hexadecimal. */
  readonly id: string;
  readonly tier: number;
  /** Two of these may end an event together (SR-27). */
  readonly isNamed: boolean;
}

export interface Pins {
  readonly cancelSalt: Uint8Array;
  readonly cancelTag: Uint8Array;
  readonly duressSalt: Uint8Array;
  readonly duressTag: Uint8Array;
}

export interface Setup {
  readonly contacts: readonly Contact[];
  readonly pins?: Pins;
  /** Off unless the wearer allowed it on the Key (SR-36). */
  readonly allowsRemoteArm: boolean;
  readonly advertisingKey?: Uint8Array;
}

/** A message that this contact has not acknowledged: sealed bytes, which the Key itself cannot open again. */
export interface Sent {
  readonly sequence: number;
  readonly message: Uint8Array;
}

/** A contact that takes part in an event. */
export interface Engaged {
  readonly contact: string;
  readonly control: Uint8Array;
  readonly ack: Uint8Array;
  readonly outbox: readonly Sent[];
  /** Index in `ackClasses`: the furthest that this contact has come. */
  readonly answered: number;
  readonly counter: number;
  readonly hasResolved: boolean;
}

export interface Alert {
  readonly purpose: Purpose;
  readonly event: Uint8Array;
  /** Gone once the event is being ended: then no position can be sealed any more. */
  readonly chainKey?: Uint8Array;
  readonly index: number;
  /** Highest tier that was engaged; 0 before the event was opened. */
  readonly tier: number;
  readonly engaged: readonly Engaged[];
  /** Contacts whose capsule is being made. */
  readonly awaiting: readonly string[];
  readonly wantsFix: boolean;
  readonly retries: number;
  readonly retryMs?: number;
  readonly tierMs?: number;
  readonly updateMs?: number;
  readonly objectMs?: number;
  readonly endMs: number;
  /** Covert only: not before this. */
  readonly beginMs?: number;
  readonly ending?: Verb;
}

export interface AuditEntry {
  /** First bytes of a hash: names the event to nobody who does not know it. */
  readonly event: string;
  readonly purpose: Purpose;
  readonly ending: Verb;
  /** Quarters of an hour. */
  readonly quarter: number;
  readonly answered: number;
}

export interface Audit {
  readonly head: Uint8Array;
  readonly entries: readonly AuditEntry[];
}

export interface KeyState {
  readonly visible: State;
  /** When the visible state ends by itself. */
  readonly timerMs?: number;
  readonly alert?: Alert;
  /** The flag of SR-24: an alert beside the visible machine. */
  readonly covert?: Alert;
  readonly setup: Setup;
  readonly sequences: { readonly next: number; readonly reservedUntil: number };
  readonly tries: number;
  readonly battery: { readonly percent: number; readonly isLow: boolean };
  readonly ledger: Ledger;
  readonly covertPc: number;
  readonly audit: Audit;
  // Forgotten with power:
  readonly gestures: Gestures;
  readonly hasCable: boolean;
  readonly cableWakeMs?: number;
  readonly reader: FrameReader;
  readonly covertReader: FrameReader;
  readonly session?: Session;
  /** The host has asked for something that needs the chord. */
  readonly pending?: { readonly what: 'test' | 'setup'; readonly untilMs: number };
  readonly setupUntilMs?: number;
}

export const factoryState: KeyState = {
  visible: 'factory',
  setup: { contacts: [], allowsRemoteArm: false },
  sequences: { next: 0, reservedUntil: 0 },
  tries: 0,
  battery: { percent: 100, isLow: false },
  ledger: freshLedger,
  covertPc: 0,
  audit: { head: empty, entries: [] },
  gestures: noGesture,
  hasCable: false,
  reader: emptyReader,
  covertReader: emptyReader,
};

/** `value` without the named members: how a secret or a deadline is dropped under `exactOptionalPropertyTypes`. */
export const without = <T extends object, K extends keyof T>(value: T, ...names: readonly K[]): Omit<T, K> => {
  const copy = { ...value };
  for (const name of names) delete copy[name];
  return copy;
};
