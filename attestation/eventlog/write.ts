/**
 * A writer of crypto-agile boot logs. For firmware that is simulated: it measures, extends its TPM with the digests that
 * `add` returns, and hands over the log.
 *
 * Source: PFP 1.05 §10.2.2 (TCG_PCR_EVENT2), §10.4.5.1 (Spec ID header). Only what `parse.ts` accepts can be written.
 */
import { concat, u8, u16le, u32le, utf8 } from '#hal/core/bytes';
import { type Bank, bankAlgorithms, digestOf } from './algorithms.ts';
import { type EventTypeName, eventTypes } from './events.ts';
import { maxEventBytes, maxEvents, maxLogBytes, maxPcr, noPcr } from './parse.ts';

export interface Measurement {
  /** 0 to 23; `noPcr` for an EV_NO_ACTION event that stands for no register. */
  readonly pcr: number;
  readonly type: EventTypeName;
  readonly data: Uint8Array;
  /** What the digest covers, where that is not the data. */
  readonly measured?: Uint8Array;
}

export interface EventLogWriter {
  /** @returns the digest that each bank of the register is extended with; none for EV_NO_ACTION, which extends nothing */
  add(measurement: Measurement): ReadonlyMap<Bank, Uint8Array>;
  /** The log so far. */
  bytes(): Uint8Array;
}

/** @param algorithms the active banks of the TPM, at least one, none twice */
export const eventLogWriter = (algorithms: readonly Bank[]): EventLogWriter => {
  if (algorithms.length === 0 || new Set(algorithms).size !== algorithms.length)
    throw new RangeError('one bank at least, none twice');
  const header = specIdHeader(algorithms);
  const parts = [header];
  let sizeBytes = header.length;
  return {
    add({ pcr, type, data, measured = data }) {
      const { code, covers } = eventTypes[type];
      const extendsNothing = covers === 'nothing';
      const isPcr = Number.isInteger(pcr) && pcr >= 0 && pcr <= maxPcr;
      if (!isPcr && !(extendsNothing && pcr === noPcr)) throw new RangeError(`register ${pcr}`);
      const digests = algorithms.map((bank) => ({
        bank,
        digest: extendsNothing ? new Uint8Array(bankAlgorithms[bank].digestBytes) : digestOf(bank, measured),
      }));
      const event = agileEvent(pcr, code, digests, data);
      const isFull = parts.length === maxEvents || sizeBytes + event.length > maxLogBytes;
      if (isFull || data.length > maxEventBytes) throw new RangeError('the log is full');
      parts.push(event);
      sizeBytes += event.length;
      return new Map(extendsNothing ? [] : digests.map(({ bank, digest }) => [bank, digest]));
    },
    bytes: () => concat(...parts),
  };
};

/** TCG_PCR_EVENT2. @param code of the event type. @param digests one for each algorithm of the header, in its order */
export const agileEvent = (
  pcr: number,
  code: number,
  digests: readonly { readonly bank: Bank; readonly digest: Uint8Array }[],
  data: Uint8Array,
): Uint8Array =>
  concat(
    ...[u32le(pcr), u32le(code), u32le(digests.length)],
    ...digests.flatMap(({ bank, digest }) => [u16le(bankAlgorithms[bank].id), digest]),
    ...[u32le(data.length), data],
  );

/** A TCG_PCClientPCREvent that carries TCG_EfiSpecIDEvent: client platform, version 2.0, profile revision 1.05, 64-bit UINTN. */
const specIdHeader = (algorithms: readonly Bank[]): Uint8Array => {
  const event = concat(
    utf8('Spec ID Event03\0'),
    u32le(0),
    u8(0),
    u8(2),
    u8(105),
    u8(2),
    u32le(algorithms.length),
    ...algorithms.flatMap((bank) => [u16le(bankAlgorithms[bank].id), u16le(bankAlgorithms[bank].digestBytes)]),
    u8(0),
  );
  return concat(
    u32le(0),
    u32le(eventTypes.EV_NO_ACTION.code),
    new Uint8Array(bankAlgorithms.sha1.digestBytes),
    u32le(event.length),
    event,
  );
};
