/**
 * The registers that a TPM would hold after a boot log.
 *
 * Source: TPM 2.0 Part 1 §17 (extend: new = H(old ‖ digest)), PFP 1.05 §10.4.5 (EV_NO_ACTION, startup locality).
 */
import { type Bank, bankAlgorithms, banks, extend } from './algorithms.ts';
import { noAction, startupLocality } from './events.ts';
import type { EventLog } from './parse.ts';

/** By register, only those that an event extended. */
export type PcrValues = ReadonlyMap<number, Uint8Array>;

/**
 * Replay one bank.
 *
 * Every register begins at zero, also 17 to 22: what a log records there was extended after the dynamic launch reset
 * them. Register 0 begins with the startup locality in its last byte where the log names one before it extends it.
 * @returns undefined when the log lacks the bank
 */
export const replayBank = (log: EventLog, bank: Bank): PcrValues | undefined => {
  const { digestBytes } = bankAlgorithms[bank];
  const index = log.algorithms.indexOf(bankAlgorithms[bank]);
  if (index === -1) return undefined;
  const values = new Map<number, Uint8Array>();
  const scratch = new Uint8Array(2 * digestBytes);
  let locality = 0;
  for (const { pcr, type, digests, data } of log.events) {
    if (type === noAction) {
      if (pcr === 0 && locality === 0) locality = startupLocality(data) ?? 0;
      continue;
    }
    const digest = digests[index];
    if (digest === undefined) throw new RangeError('an event of a parsed log has a digest for every bank');
    let value = values.get(pcr);
    if (value === undefined) {
      value = new Uint8Array(digestBytes);
      if (pcr === 0) value[digestBytes - 1] = locality;
      values.set(pcr, value);
    }
    extend(bank, value, digest, scratch);
  }
  return values;
};

/** Every bank of the log that can be computed. */
export const replay = (log: EventLog): ReadonlyMap<Bank, PcrValues> => {
  const replayed = new Map<Bank, PcrValues>();
  for (const bank of banks) {
    const values = replayBank(log, bank);
    if (values !== undefined) replayed.set(bank, values);
  }
  return replayed;
};
