/**
 * Cedar as our policy engine: every failure a denial. The rules are a constant of the program: that each passes Cedar's strict
 * validation is a test's to say, not every start's.
 */
import { attempt, attemptAsync, deny, ok, type Result } from '#hal/core/result';
import { loadCedar, policyName, readPolicy } from './cedar.ts';
import { restoreMemory } from './engine-memory.ts';
import type { Admitted } from './facts.ts';
import { policyDigest } from './policy.ts';

export interface EngineRequest {
  readonly action: string;
  readonly resource: string;
  readonly facts: Admitted;
}

export interface EngineAnswer {
  readonly isAllowed: boolean;
  /** Ids of the rules that decided; none where nothing permitted. */
  readonly rules: readonly string[];
}

export type Engine = (request: EngineRequest) => Result<EngineAnswer>;

/**
 * @param keptMemory of an engine that has read the policy; where it is another one, this engine reads it itself
 * @returns the engine, or `policy/engine-failed` where it does not load, or the policy does not parse
 */
export const cedarEngine = async (keptMemory?: Uint8Array): Promise<Result<Engine>> => {
  const engineFailed = (cause: string) => deny('policy', 'engine-failed', cause);
  // Its WebAssembly is read when it is loaded: a file that is not there or damaged is a refusal, and ends no program.
  const loaded = await attemptAsync(loadCedar, engineFailed);
  if (!loaded.ok) return loaded;
  const { cedar, instance } = loaded.value;
  const ready = attempt(() => {
    const isRestored = instance !== undefined && keptMemory !== undefined && restoreMemory(instance, keptMemory, policyDigest);
    if (!isRestored) readPolicy(cedar);
  }, engineFailed);
  if (!ready.ok) return ready;

  return ok(({ action, resource, facts }) => {
    const { actor, ...context } = facts;
    const principal = { type: 'Actor', id: actor?.subject ?? 'unknown' };
    const answer = attempt(
      () =>
        cedar.statefulIsAuthorized({
          principal,
          action: { type: 'Action', id: action },
          resource: { type: 'Resource', id: resource },
          context: withoutSubject(context),
          preparsedSchemaName: policyName,
          preparsedPolicySetId: policyName,
          validateRequest: true,
          entities: [{ uid: principal, attrs: actor === undefined ? {} : { assurance: actor.assurance }, parents: [] }],
        }),
      engineFailed,
    );
    if (!answer.ok) return answer;
    if (answer.value.type === 'failure') return engineFailed(answer.value.errors.map(({ message }) => message).join('; '));
    const { decision, diagnostics } = answer.value.response;
    if (diagnostics.errors.length > 0) return engineFailed(diagnostics.errors.map(({ policyId }) => policyId).join(', '));
    return ok({ isAllowed: decision === 'allow', rules: diagnostics.reason });
  });
};

/** The session's subject was compared at the gate; Cedar gets what its schema names. */
const withoutSubject = (context: Omit<Admitted, 'actor'>): Record<string, Record<string, string | number | boolean>> => {
  const { session, ...others } = context;
  const named: Record<string, Record<string, string | number | boolean>> = {};
  for (const [fact, value] of Object.entries(others)) if (value !== undefined) named[fact] = { ...value };
  if (session !== undefined) {
    const { handle, state, recovery, permission } = session;
    named['session'] = { handle, state, recovery, permission };
  }
  return named;
};
