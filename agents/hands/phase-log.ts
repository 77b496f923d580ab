/**
 * The firmware's boot log with what the first root measured after it: that the boot went on (`unlock.ts`). The kernel keeps
 * no log of that. Where it is not true the log does not replay, and no verifier takes it.
 */
import { banks, digestOf } from '#attestation/eventlog/algorithms';
import { eventTypes } from '#attestation/eventlog/events';
import { parseEventLog } from '#attestation/eventlog/parse';
import { agileEvent } from '#attestation/eventlog/write';
import { openedPhase, phaseRegister } from '#hal/core/boot-approval';
import { concat, utf8 } from '#hal/core/bytes';
import { ok } from '#hal/core/result';
import type { BootLog } from '#hal/ports/boot-log';

/** A log that is empty, or in a form that cannot be gone on with, stays as it is. */
export const withPhase = (firmware: BootLog): BootLog => ({
  async read() {
    const log = await firmware.read();
    if (!log.ok || log.value.length === 0) return log;
    const parsed = parseEventLog(log.value);
    if (!parsed.ok) return log;
    const { algorithms, parsedBytes } = parsed.value;
    const data = utf8(openedPhase);
    const digests = algorithms.flatMap(({ name }) => {
      const bank = banks.find((known) => known === name);
      return bank === undefined ? [] : [{ bank, digest: digestOf(bank, data) }];
    });
    if (digests.length !== algorithms.length) return log;
    return ok(concat(log.value.subarray(0, parsedBytes), agileEvent(phaseRegister, eventTypes.EV_IPL.code, digests, data)));
  },
});
