/** One way to sabotage the day: a real thing done to a real part, who refuses it, and how. */
import type { World } from '#sim/world/world';
import type { StepName } from './scenario.ts';

export interface Sabotage {
  readonly what: string;
  /** The step that refuses, and the code that it refuses with. */
  readonly step: StepName;
  readonly code: string;
  /** What is done just before which step. */
  readonly before: Partial<Record<StepName, (world: World) => Promise<void> | void>>;
}
