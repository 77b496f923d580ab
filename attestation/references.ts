/**
 * Reference values: what the builds that may run measure, event by event.
 *
 * Several sets may be live at once (both releases during a rollout); a boot matches one of them whole or none.
 */

import type { BootFacts } from '#attestation/eventlog/semantics';
import { toHex } from '#hal/core/bytes';

export interface ReferenceSet {
  /** Which build: goes into the result. */
  readonly name: string;
  /** Exactly the measurements that are expected in each judged register, in order: SHA-256 digests in hex. */
  readonly measurements: readonly Measurement[];
  /**
   * The judged registers; every one where it is absent. A real machine's others change with boot order, memory size and
   * entries that failed before (registers 1, 0, 4): they are quoted and replayed, and say nothing of the build.
   */
  readonly registers?: readonly number[];
}

export interface Measurement {
  readonly pcr: number;
  /** TCG event type. */
  readonly type: number;
  readonly digest: string;
}

/** The name of the set that the boot matches; undefined when it matches none. @param sha256Column which digest of an event is SHA-256 */
export const matchReferences = (boot: BootFacts, sha256Column: number, sets: readonly ReferenceSet[]): string | undefined => {
  const measured = boot.measurements.map(({ pcr, type, digests }) => ({
    pcr,
    type,
    digest: toHex(digests[sha256Column] ?? none),
  }));
  const judged = ({ registers }: ReferenceSet) =>
    registers === undefined ? measured : measured.filter(({ pcr }) => registers.includes(pcr));
  return sets.find((set) => byRegister(set.measurements) === byRegister(judged(set)))?.name;
};

/** Order matters within a register, not between registers. */
const byRegister = (measurements: readonly Measurement[]): string =>
  JSON.stringify([...measurements].sort((a, b) => a.pcr - b.pcr).map(({ pcr, type, digest }) => [pcr, type, digest]));

const none = new Uint8Array();
