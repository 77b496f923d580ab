/** How a day ended. */
import type { Fault } from '#hal/core/result';

export interface DaySummary {
  readonly steps: number;
  readonly refusedAt?: string;
  readonly fault?: Fault;
  /** With a sabotage: whether exactly the expected step refused with exactly the expected code. */
  readonly isAsExpected: boolean;
  readonly ms: number;
  readonly auditRecords: number;
}
