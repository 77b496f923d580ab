/**
 * TCG event logs: the crypto-agile form (a Spec ID header, then TCG_PCR_EVENT2) and the older one that knows SHA-1 only.
 *
 * The log comes from the machine that is being judged. Nothing here is believed: a log becomes evidence when its replay
 * equals a quote. Source: PC Client Platform Firmware Profile (PFP) 1.05 §10.2, §10.4.5.
 */
import { utf8 } from '#hal/core/bytes';
import { malformed, parse, Reader } from '#hal/core/reader';
import { deny, type Failure, type Result } from '#hal/core/result';
import { algorithmOf, bankAlgorithms, type HashAlgorithm } from './algorithms.ts';
import { noAction, startsWith } from './events.ts';

/** Largest log read; logs of real machines have 14 to 64 KiB. */
export const maxLogBytes = 1024 * 1024;
/** Most events of one log, the header among them; logs of real machines have 21 to 121. */
export const maxEvents = 4096;
/** Most data bytes of one event; the largest of real logs is a `dbx` of 24 KiB. */
export const maxEventBytes = 256 * 1024;
/** Most algorithms that a header may list. */
export const maxAlgorithms = 16;
/** A TPM of a PC client has the registers 0 to 23. */
export const maxPcr = 23;
/** An EV_NO_ACTION event may stand for no register at all. */
export const noPcr = 0xffffffff;

export interface EventLog {
  /** In the order of the header; SHA-1 alone in the older form. */
  readonly algorithms: readonly HashAlgorithm[];
  /** In order; the first event of a crypto-agile log is its header. */
  readonly events: readonly LogEvent[];
  /** Where the log ends; what follows is padding. */
  readonly parsedBytes: number;
}

/** Digests and data are views of the log. */
export interface LogEvent {
  /** Byte of the log at which the event begins. */
  readonly offset: number;
  readonly pcr: number;
  readonly type: number;
  /** One for each algorithm of the log, in the log's order; none for the header, which extends nothing. */
  readonly digests: readonly Uint8Array[];
  readonly data: Uint8Array;
}

/**
 * @param bytes the whole log, up to 1 MiB; CCEL logs may end in padding of 0x00 or 0xFF bytes
 * @returns the events, or `attestation/log-malformed` with the place in the detail
 */
export const parseEventLog = (bytes: Uint8Array): Result<EventLog> =>
  bytes.length > maxLogBytes
    ? refuse(`${bytes.length} bytes of log, ${maxLogBytes} at most`)
    : parse(bytes, (reader) => readLog(reader, paddingStart(bytes)), refuse);

const refuse = (why: string): Failure => deny('attestation', 'log-malformed', why);

const readLog = (reader: Reader, end: number): EventLog => {
  if (end === 0) malformed('no events');
  const first = readSha1Event(reader);
  const header = readSpecIdHeader(first);
  const algorithms = header ?? [bankAlgorithms.sha1];
  const events = [header === undefined ? first : { ...first, digests: [] }];
  while (reader.offset < end) {
    if (events.length === maxEvents) malformed(`more than ${maxEvents} events at ${reader.offset}`);
    events.push(header === undefined ? readSha1Event(reader) : readAgileEvent(reader, algorithms));
  }
  const parsedBytes = reader.offset;
  reader.take(reader.remaining);
  return { algorithms, events, parsedBytes };
};

/** TCG_PCClientPCREvent, PFP §10.2.1. */
const readSha1Event = (reader: Reader): LogEvent => {
  const offset = reader.offset;
  const pcr = reader.u32le();
  const type = reader.u32le();
  checkPcr(pcr, type, offset);
  return { offset, pcr, type, digests: [reader.take(bankAlgorithms.sha1.digestBytes)], data: readData(reader) };
};

/** TCG_PCR_EVENT2, PFP §10.2.2: exactly one digest for each algorithm of the header, in any order. */
const readAgileEvent = (reader: Reader, algorithms: readonly HashAlgorithm[]): LogEvent => {
  const offset = reader.offset;
  const pcr = reader.u32le();
  const type = reader.u32le();
  checkPcr(pcr, type, offset);
  const count = reader.u32le();
  if (count !== algorithms.length) malformed(`${count} digests at ${offset}, the header lists ${algorithms.length}`);
  const digests: Uint8Array[] = new Array(algorithms.length);
  for (let read = 0; read < count; read += 1) {
    const id = reader.u16le();
    const index = algorithms.findIndex((algorithm) => algorithm.id === id);
    const algorithm = algorithms[index] ?? malformed(`algorithm 0x${id.toString(16)} at ${offset} is not in the header`);
    if (digests[index] !== undefined) malformed(`two ${algorithm.name} digests at ${offset}`);
    digests[index] = reader.take(algorithm.digestBytes);
  }
  return { offset, pcr, type, digests, data: readData(reader) };
};

const readData = (reader: Reader): Uint8Array => {
  const offset = reader.offset;
  const size = reader.u32le();
  if (size > maxEventBytes) malformed(`${size} bytes of event data at ${offset}, ${maxEventBytes} at most`);
  return reader.take(size);
};

const checkPcr = (pcr: number, type: number, offset: number): void => {
  if (pcr > maxPcr && !(pcr === noPcr && type === noAction)) malformed(`register ${pcr} at ${offset}`);
};

const specIdSignature = utf8('Spec ID Event03\0');

/**
 * TCG_EfiSpecIDEvent, PFP §10.4.5.1.
 *
 * @returns the algorithms of the log; undefined when its first event is no such header, hence in the older form
 */
const readSpecIdHeader = ({ type, digests, data }: LogEvent): readonly HashAlgorithm[] | undefined => {
  if (type !== noAction || !startsWith(data, specIdSignature)) return undefined;
  if (digests[0]?.some((byte) => byte !== 0)) malformed('the header has a digest');
  const reader = new Reader(data);
  reader.take(specIdSignature.length);
  const platformClass = reader.u32le();
  if (platformClass > 1) malformed(`platform class ${platformClass}; client is 0, server is 1`);
  const minor = reader.u8();
  const major = reader.u8();
  reader.u8(); // errata: the revision of the profile, informative
  if (major !== 2 || minor !== 0) malformed(`version ${major}.${minor} of the log; 2.0 is known`);
  const uintnSize = reader.u8();
  if (uintnSize !== 1 && uintnSize !== 2) malformed(`UINTN size ${uintnSize}; 1 is 32 bits, 2 is 64 bits`);
  const algorithms = readAlgorithms(reader);
  reader.take(reader.u8()); // vendorInfo
  reader.end();
  return algorithms;
};

const readAlgorithms = (reader: Reader): HashAlgorithm[] => {
  const count = reader.u32le();
  if (count === 0 || count > maxAlgorithms) malformed(`${count} algorithms in the header; 1 to ${maxAlgorithms}`);
  const algorithms: HashAlgorithm[] = [];
  while (algorithms.length < count) {
    const id = reader.u16le();
    const digestBytes = reader.u16le();
    const algorithm = algorithmOf(id) ?? malformed(`unknown algorithm 0x${id.toString(16)} in the header`);
    if (algorithm.digestBytes !== digestBytes) malformed(`${digestBytes} bytes for a ${algorithm.name} digest in the header`);
    if (algorithms.includes(algorithm)) malformed(`${algorithm.name} twice in the header`);
    algorithms.push(algorithm);
  }
  return algorithms;
};

/** Where the run of equal 0x00 or 0xFF bytes at the end begins. Found once: looking after each event would be quadratic. */
const paddingStart = (bytes: Uint8Array): number => {
  const padding = bytes.at(-1);
  let start = bytes.length;
  if (padding !== 0x00 && padding !== 0xff) return start;
  while (start > 0 && bytes[start - 1] === padding) start -= 1;
  return start;
};
