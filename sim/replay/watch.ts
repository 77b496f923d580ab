/** Looks at the media of a machine that runs, again and again. */
import { cpSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#hal/ports/clock';
import type { WriteLogs } from '#sim/qemu/arguments';
import type { Moment } from './moments.ts';

export interface WatchOptions {
  readonly logs: WriteLogs;
  /** Folder of the TPM's state. */
  readonly tpm: string;
  /** Where each state of it is kept: a folder by its number. */
  readonly kept: string;
  readonly clock: Clock;
}

export interface Watch {
  /** How many moments were noted by now. */
  count(): number;
  /** Looks once more, and no longer. */
  end(): Promise<readonly Moment[]>;
}

const everyMs = 2;
/** A machine of a test writes for some minutes. */
export const maxMoments = 1_000_000;
/** Of swtpm, replaced as a whole. */
export const stateFile = 'tpm2-00.permall';

export const watchMedia = ({ logs, tpm, kept, clock }: WatchOptions): Watch => {
  const moments: Moment[] = [];
  const ending = new AbortController();
  let lastState = '';
  let states = 0;
  const lengthOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const stateOfTpm = () => {
    const state = statSync(join(tpm, stateFile), { bigint: true, throwIfNoEntry: false });
    return state === undefined ? lastState : `${state.ino} ${state.mtimeNs} ${state.size}`;
  };
  const keep = (state: string): void => {
    if (state === lastState) return;
    const folder = join(kept, String(states));
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    cpSync(join(tpm, stateFile), join(folder, stateFile));
    // Replaced meanwhile, it is the next state; this one nobody has seen.
    if (stateOfTpm() !== state) return;
    lastState = state;
    states += 1;
  };
  const look = (): void => {
    const [variables, state] = [lengthOf(logs.variables), stateOfTpm()];
    keep(state);
    const moment = { disk: lengthOf(logs.disk), variables, tpm: states - 1 };
    const last = moments.at(-1);
    // What changed while it was looked at was no moment.
    if (lengthOf(logs.variables) !== variables || stateOfTpm() !== lastState || states === 0) return;
    if (last?.disk === moment.disk && last.variables === moment.variables && last.tpm === moment.tpm) return;
    if (moments.length < maxMoments) moments.push(moment);
  };
  const watching = (async () => {
    for (; !ending.signal.aborted; await clock.sleep(everyMs, ending.signal)) look();
  })();
  return {
    count: () => moments.length,
    async end() {
      ending.abort();
      await watching;
      look();
      return moments;
    },
  };
};
