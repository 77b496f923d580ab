/**
 * What stood on each medium of a machine at one moment, and which moments a power cut may have met.
 *
 * Disk and firmware variables have a log each, and no clock is in either. So while the machine runs, somebody looks again and
 * again how long both are, and at the state of its TPM. Between two looks at which only one of them differs, every state in
 * between was there; where more than one differs, nobody knows which came first, and only the looks themselves count.
 */
import type { LoggedWrite } from './write-log.ts';

/** Lengths of logs in bytes, and the number of a state of the TPM that was kept. */
export interface Moment {
  readonly disk: number;
  readonly variables: number;
  readonly tpm: number;
}

/** A state that was there: so many entries of each log. */
export interface Position {
  readonly disk: number;
  readonly variables: number;
  readonly tpm: number;
}

export type Logs = Readonly<Record<'disk' | 'variables', readonly LoggedWrite[]>>;

/** @param moments in their order. @returns every state that was surely there after the first of them, in their order */
export const positions = (moments: readonly Moment[], logs: Logs): readonly Position[] => {
  const found: Position[] = [];
  for (const [index, now] of moments.entries()) {
    const before = moments[index - 1];
    if (before === undefined) continue;
    const [disk, variables] = [entriesAt(logs.disk, now.disk), entriesAt(logs.variables, now.variables)];
    const { tpm } = now;
    if (before.variables === now.variables && before.tpm === tpm)
      for (let at = entriesAt(logs.disk, before.disk) + 1; at < disk; at += 1) found.push({ disk: at, variables, tpm });
    else if (before.disk === now.disk && before.tpm === tpm)
      for (let at = entriesAt(logs.variables, before.variables) + 1; at < variables; at += 1)
        found.push({ disk, variables: at, tpm });
    found.push({ disk, variables, tpm });
  }
  return found;
};

/** How many entries end within so many bytes of their log. */
const entriesAt = (log: readonly LoggedWrite[], bytes: number): number => {
  let [low, high] = [0, log.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((log[middle]?.endBytes ?? Number.POSITIVE_INFINITY) <= bytes) low = middle + 1;
    else high = middle;
  }
  return low;
};
