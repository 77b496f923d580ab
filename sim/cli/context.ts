/** What every command of the simulator gets: where things are, and how to talk. */
import type { Clock } from '#hal/ports/clock';
import type { BuildPaths } from '#sim/machine/launch';

export interface Context {
  readonly paths: BuildPaths;
  /** Folder of this checkout. */
  readonly project: string;
  /** Where devices and far ends are kept unless `--directory` says otherwise. */
  readonly home: string;
  /** The bundle that runs: what `up --detach` starts once more. */
  readonly script: string;
  readonly clock: Clock;
  /** Data: the story, JSON. */
  readonly write: (text: string) => void;
  /** Everything else. */
  readonly complain: (text: string) => void;
}

/** Binds an action of a command to the exit code of the process. */
export type Run = <A extends readonly unknown[]>(
  action: (...values: A) => Promise<number> | number,
) => (...values: A) => Promise<void>;
