/**
 * What a boot log must not contradict, although it replays.
 *
 * A replay proves the digests of the quoted banks and their order in each register, and nothing else: event types, event
 * data and EV_NO_ACTION events are whatever the sender wrote. These checks hold them against the digests, so that a
 * verifier may read them. For logs whose registers are the PCRs of a TPM; CCEL logs fold several PCRs into one register.
 * Source: PFP 1.05 §3.3.4 (registers), §10.4.1 (types and what their digests cover), §10.4.5 (EV_NO_ACTION).
 */
import { toHex } from '#hal/core/bytes';
import { deny, type Failure, ok, type Result } from '#hal/core/result';
import { type Bank, bankAlgorithms, banks, digestOf, isDigestOf } from './algorithms.ts';
import { contradiction } from './contradiction.ts';
import {
  claimsStartupLocality,
  coverageOf,
  eventTypes,
  knownEventTypes,
  noAction,
  separators,
  startupLocality,
} from './events.ts';
import type { EventLog, LogEvent } from './parse.ts';
import { readSecureBoot } from './secureboot.ts';
import { decodeVariable } from './variable.ts';

export interface SemanticsOptions {
  /** The banks that the quote covers; what stands under others is not evidence. Every bank of the log by default. */
  readonly banks?: readonly Bank[];
  /** Allow-list of event types; every type of the profile by default. */
  readonly allowedTypes?: ReadonlySet<number>;
}

/** What a verifier may read in a log that replays to a quote. */
export interface BootFacts {
  /** Content of the variable `SecureBoot`; undefined when the firmware measured no such variable. */
  readonly secureBoot: boolean | undefined;
  /** Every event that extended a register, in order, to be matched by register, type and digest with references. */
  readonly measurements: readonly LogEvent[];
}

/**
 * Judge a log that replays to the quoted registers.
 *
 * Not proved by anything in the log, hence never to be read: the data of events whose digest covers something else
 * (`coverageOf`), owner and name of a boot variable, EV_NO_ACTION data other than the startup locality, and a type until
 * a reference has named it.
 * @returns the facts, or `attestation/log-semantics` with the first contradiction in the detail
 */
export const checkSemantics = (log: EventLog, options: SemanticsOptions = {}): Result<BootFacts> => {
  const judged = options.banks ?? banks.filter((bank) => log.algorithms.includes(bankAlgorithms[bank]));
  const columns = judged.map((bank) => ({ bank, index: log.algorithms.indexOf(bankAlgorithms[bank]) }));
  const failure =
    bankFault(columns) ??
    typeFault(log, options.allowedTypes ?? knownEventTypes) ??
    noActionFault(log) ??
    localityFault(log) ??
    digestFault(log, columns) ??
    separatorFault(log, columns);
  if (failure !== undefined) return failure;
  const secureBoot = readSecureBoot(log);
  if (!secureBoot.ok) return secureBoot;
  return ok({ secureBoot: secureBoot.value, measurements: log.events.filter(({ type }) => type !== noAction) });
};

/** A bank, and where its digest stands in every event. */
interface Column {
  readonly bank: Bank;
  readonly index: number;
}

const bankFault = (columns: readonly Column[]): Failure | undefined => {
  if (columns.length === 0) return deny('attestation', 'log-semantics', 'no bank to judge');
  const missing = columns.find(({ index }) => index === -1);
  return missing && deny('attestation', 'log-semantics', `the log has no ${missing.bank} bank`);
};

/** An event of a type that nobody expects is a measurement that nobody judges. */
const typeFault = (log: EventLog, allowed: ReadonlySet<number>): Failure | undefined => {
  const event = log.events.find(({ type }) => type !== noAction && !allowed.has(type));
  return event && contradiction(event, 'a type that is not allowed');
};

/** PFP §10.4.5: such an event extends nothing and says so; a digest here is a measurement whose type was rewritten. */
const noActionFault = (log: EventLog): Failure | undefined => {
  const event = log.events.find(
    ({ type, digests }) => type === noAction && digests.some((digest) => digest.some((byte) => byte !== 0)),
  );
  return event && contradiction(event, 'it extends nothing, but has a digest');
};

/** PFP §10.4.5.3: one event at most, on register 0, before anything extends that register; locality 0, 3 or 4 (H-CRTM). */
const localityFault = (log: EventLog): Failure | undefined => {
  let isLate = false;
  for (const event of log.events) {
    if (event.type === noAction && claimsStartupLocality(event.data)) {
      const locality = startupLocality(event.data);
      if (isLate) return contradiction(event, 'the startup locality after an extension of register 0, or twice');
      if (event.pcr !== 0) return contradiction(event, 'the startup locality on another register than 0');
      if (locality !== 0 && locality !== 3 && locality !== 4)
        return contradiction(event, 'a startup locality other than 0, 3 and 4');
      isLate = true;
    } else if (event.type !== noAction && event.pcr === 0) isLate = true;
  }
  return undefined;
};

/** PFP §10.4.1: where the digest covers the data of the event, it is the digest of that data. */
const digestFault = (log: EventLog, columns: readonly Column[]): Failure | undefined => {
  const event = log.events.find((candidate) => !columns.every((column) => isCovered(candidate, column)));
  return event && contradiction(event, 'its digest is not that of its data');
};

const isCovered = (event: LogEvent, column: Column): boolean => {
  const { type, data } = event;
  switch (coverageOf(type)) {
    case 'data':
      return isMeasured(event, column, data);
    case 'variable': {
      const variable = decodeVariable(data);
      if (variable?.bytesLeft !== 0) return false;
      return isMeasured(event, column, variable.content) || isMeasured(event, column, data);
    }
    case 'authority': {
      if (isMeasured(event, column, data)) return true;
      const bytesLeft = decodeVariable(data)?.bytesLeft ?? 0;
      return bytesLeft > 0 && isMeasured(event, column, data.subarray(0, -1));
    }
    case 'elsewhere':
    case 'nothing':
      return true;
  }
};

const isMeasured = ({ digests }: LogEvent, { bank, index }: Column, bytes: Uint8Array): boolean =>
  isDigestOf(bank, bytes, digests[index]);

/**
 * PFP §10.4.1, EV_SEPARATOR: each of the registers 0 to 7 gets exactly one, and it does not report an error.
 *
 * What looks like a separator must be called one: under another type it would end a phase unseen.
 */
const separatorFault = (log: EventLog, columns: readonly Column[]): Failure | undefined => {
  const separated = new Set<number>();
  for (const event of log.events) {
    if (event.pcr > lastFirmwarePcr || event.type === noAction) continue;
    const marks = columns.map(({ bank, index }) => separatorMark(bank, event.digests[index]));
    if (event.type === eventTypes.EV_SEPARATOR.code) {
      if (marks.includes('error')) return contradiction(event, 'the firmware reports an error');
      if (marks.includes(undefined)) return contradiction(event, 'a separator of another value');
      if (separated.has(event.pcr)) return contradiction(event, 'a second separator');
      separated.add(event.pcr);
    } else if (marks.some((mark) => mark !== undefined) && !mayLookLikeSeparator(event))
      return contradiction(event, 'a separator under another type');
  }
  for (let pcr = 0; pcr <= lastFirmwarePcr; pcr += 1)
    if (!separated.has(pcr)) return deny('attestation', 'log-semantics', `register ${pcr} has no separator`);
  return undefined;
};

/** Registers 0 to 7 belong to the firmware (PFP §3.3.4). */
const lastFirmwarePcr = 7;

/**
 * Four bytes that real firmware measures for other reasons: a `BootOrder` of the entries 1 and 0 is the error value, and
 * some S-CRTM contents are four zeros. Neither register decides anything by its separator; register 7 has no exception.
 */
const mayLookLikeSeparator = ({ pcr, type }: LogEvent): boolean =>
  (pcr === 0 && type === eventTypes.EV_S_CRTM_CONTENTS.code) || (pcr === 1 && coverageOf(type) === 'variable');

type SeparatorMark = keyof typeof separators;

const separatorDigests: ReadonlyMap<Bank, ReadonlyMap<string, SeparatorMark>> = new Map(
  banks.map((bank) => [
    bank,
    new Map((Object.keys(separators) as SeparatorMark[]).map((mark) => [toHex(digestOf(bank, separators[mark])), mark])),
  ]),
);

const separatorMark = (bank: Bank, digest: Uint8Array | undefined): SeparatorMark | undefined =>
  digest && separatorDigests.get(bank)?.get(toHex(digest));
