/** A boot log as `enigmctl` prints it in JSON. */
import { toHex } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import { parseEventLog } from './parse.ts';
import { replay } from './replay.ts';

export interface EventLogDescription {
  /** In the order of the log, those among them that are never replayed too. */
  readonly algorithms: readonly string[];
  /** The header of a crypto-agile log counts. */
  readonly events: number;
  /** By bank, then by register: the value after replay, in hexadecimal. */
  readonly pcrs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** @returns the description, or `attestation/log-malformed` */
export const describeEventLog = (bytes: Uint8Array): Result<EventLogDescription> => {
  const log = parseEventLog(bytes);
  if (!log.ok) return log;
  const pcrs = [...replay(log.value)].map(([bank, values]) => [
    bank,
    Object.fromEntries([...values].map(([pcr, value]) => [pcr, toHex(value)])),
  ]);
  return ok({
    algorithms: log.value.algorithms.map(({ name }) => name),
    events: log.value.events.length,
    pcrs: Object.fromEntries(pcrs),
  });
};
