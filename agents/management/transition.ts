/** One step in the life of the device: by the table, durable before it counts, and recorded. */
import type { AuditLog } from '#agents/audit/log';
import { codeOf, type Result } from '#hal/core/result';
import { step } from '#hal/core/table';
import type { Log } from '#hal/ports/log';
import { type Lifecycle, type LifecycleEvent, lifecycle } from './lifecycle.ts';
import type { DeviceState, StateKeeper } from './state.ts';

export interface TransitionParts {
  readonly state: StateKeeper;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly log: Log;
}

/**
 * @param change what else is stored with the new state, in the same write
 * @returns the state that was reached; a fault of the table where the event has no place in the present state, or of the store
 */
export const transition = async (
  { state, audit, log }: TransitionParts,
  event: LifecycleEvent,
  change: Partial<DeviceState> = {},
): Promise<Result<Lifecycle>> => {
  const next = step(lifecycle, state.current().lifecycle, event);
  if (!next.ok) return next;
  const forgets = next.value.actions.includes('forget-enrolment');
  const stored = state.update({ ...change, lifecycle: next.value.state }, forgets ? ['device'] : []);
  if (!stored.ok) return stored;
  // The state counts, recorded or not: losing the log degrades the device, it does not stop its life (SR-14).
  const recorded = await audit.record({ event: 'lifecycle.changed', outcome: 'done', action: event, resource: next.value.state });
  if (!recorded.ok) log.warn('audit.unwritten', { code: codeOf(recorded.fault) });
  return { ok: true, value: next.value.state };
};
