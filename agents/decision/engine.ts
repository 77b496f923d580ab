/**
 * Cedar as our policy engine: parsed at start, every failure a denial. The rules are a constant of the program: that each
 * passes Cedar's strict validation is a test's to say, not every start's.
 */
import { attempt, attemptAsync, deny, ok, type Result } from '#hal/core/result';
import { withBaselineCompiler } from '#hal/linux/baseline-compiler';
import type { Admitted } from './facts.ts';
import { rules, schema } from './policy.ts';

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

const name = 'enigm';

/** @returns the engine, or `policy/engine-failed` where it does not load, or the policy does not parse */
export const cedarEngine = async (): Promise<Result<Engine>> => {
  const staticPolicies = Object.fromEntries(rules.map(({ id, cedar }) => [id, cedar]));
  const engineFailed = (cause: string) => deny('policy', 'engine-failed', cause);
  // Its WebAssembly is read when it is loaded: a file that is not there or damaged is a refusal, and ends no program.
  const loaded = await attemptAsync(() => withBaselineCompiler(() => import('@cedar-policy/cedar-wasm/nodejs')), engineFailed);
  if (!loaded.ok) return loaded;
  const { preparsePolicySet, preparseSchema, statefulIsAuthorized } = loaded.value;
  const ready = attempt(() => {
    for (const parsed of [preparseSchema(name, schema), preparsePolicySet(name, { staticPolicies })])
      if (parsed.type === 'failure') throw new Error(parsed.errors.map(({ message }) => message).join('; '));
  }, engineFailed);
  if (!ready.ok) return ready;

  return ok(({ action, resource, facts }) => {
    const { actor, ...context } = facts;
    const principal = { type: 'Actor', id: actor?.subject ?? 'unknown' };
    const answer = attempt(
      () =>
        statefulIsAuthorized({
          principal,
          action: { type: 'Action', id: action },
          resource: { type: 'Resource', id: resource },
          context: withoutSubject(context),
          preparsedSchemaName: name,
          preparsedPolicySetId: name,
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
