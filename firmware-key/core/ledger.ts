/**
 * The charge that the visible machine has used, in picocoulombs (nA × ms): whole numbers, so that a closed form and a
 * sum over any number of steps are equal. A covert alert has its own account, shown nowhere (SR-24).
 *
 * The currents are assumed, for a part of the class of an nRF52840; a measurement replaces them.
 */
import type { State } from './table.ts';

const idleNa = 1_500;
const processorNa = 3_200_000;
const radioNa = 4_800_000;
const positionNa = 45_000_000;

export const stateNa: { readonly [S in State]: number } = {
  factory: idleNa,
  dormant: idleNa,
  wake: processorNa + radioNa,
  bound: processorNa,
  pairing: processorNa,
  arming: processorNa,
  countdown: processorNa,
  alerting: processorNa + radioNa + positionNa,
  'cancel-sent': idleNa + radioNa,
  safe: idleNa,
  update: processorNa,
};

/** Above the visible state's own current. */
export const covertNa = radioNa + positionNa;

export interface Ledger {
  readonly usedPc: number;
  /** Up to when it has been charged. */
  readonly atMs: number;
  /** Events that no cell took. */
  readonly ignored: number;
  /** Frames that did not read, and inputs that came when they may not. */
  readonly dropped: number;
}

export const freshLedger: Ledger = { usedPc: 0, atMs: 0, ignored: 0, dropped: 0 };

export const charge = (ledger: Ledger, state: State, atMs: number): Ledger =>
  atMs <= ledger.atMs ? ledger : { ...ledger, usedPc: ledger.usedPc + stateNa[state] * (atMs - ledger.atMs), atMs };

/** 1 µAh = 3.6 mC. */
export const microampHours = ({ usedPc }: Ledger): number => Math.floor(usedPc / 3_600_000_000);
