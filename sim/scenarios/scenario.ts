/** A step of the day: a story that runs at every level of the simulator, on a world with the same verbs. */
import type { Fault } from '#hal/core/result';
import type { World } from '#sim/world/world';

export type StepName =
  | ('provision' | 'enrol' | 'boot' | 'attest')
  | ('authenticate' | 'session' | 'posture' | 'handle' | 'policy' | 'network' | 'intelligence')
  | ('update' | 'rollout' | 'emergency');

export interface Scenario {
  readonly step: StepName;
  /** What happens, in one line. */
  readonly title: string;
  run(world: World): Promise<StepResult>;
}

export interface StepResult {
  /** What was seen, in words that another run would show alike but for the values. */
  readonly evidence: Evidence;
  /** Where the step was refused. */
  readonly fault?: Fault;
}

export type Evidence = Readonly<Record<string, string | number | boolean>>;

export const seen = (evidence: Evidence): StepResult => ({ evidence });
export const refused = (fault: Fault, evidence: Evidence = {}): StepResult => ({ evidence, fault });
