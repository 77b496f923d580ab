/**
 * The one deciding function of the device. Every path that cannot establish a fact denies.
 *
 * The engine alone allows; the gate and the rules only say why not, always in the same order, so that an answer does
 * not tell which later check would have failed too.
 */
import { categories } from '#hal/core/faults';
import { codeOf, type Fault } from '#hal/core/result';
import { type ActionName, actions, type Obligation, resources } from './actions.ts';
import type { Engine } from './engine.ts';
import { type FactName, type Facts, factNames, gate } from './facts.ts';
import { rules } from './policy.ts';

export interface DecisionRequest {
  readonly action: string;
  readonly resource: string;
}

export interface Decision {
  readonly isAllowed: boolean;
  /** Why not. */
  readonly fault?: Fault;
  /** Ids of the rules that decided. */
  readonly rules: readonly string[];
  /** What passed the gate. */
  readonly established: readonly FactName[];
  readonly obligations: readonly Obligation[];
}

export const decide = (engine: Engine, request: DecisionRequest, facts: Facts, nowBootMs: number): Decision => {
  if (!Object.hasOwn(actions, request.action)) return denied({ category: 'authorization', reason: 'action-unknown' });
  if (!(resources as readonly string[]).includes(request.resource))
    return denied({ category: 'authorization', reason: 'resource-unknown' });
  const action = actions[request.action as ActionName];
  const { admitted, refused } = gate(facts, nowBootMs);
  const answer = engine({ action: request.action, resource: request.resource, facts: admitted });
  const established = factNames.filter((name) => admitted[name] !== undefined);
  if (!answer.ok) return denied(answer.fault, [], established);
  if (answer.value.isAllowed) return { isAllowed: true, rules: answer.value.rules, established, obligations: action.obligations };

  const faults: Fault[] = [];
  for (const name of action.needs) {
    const fault = refused[name];
    if (fault !== undefined) faults.push(fault);
  }
  for (const id of answer.value.rules) {
    const fault = faultOfRule.get(id);
    if (fault !== undefined) faults.push(fault);
  }
  return denied(firstInOrder(faults) ?? { category: 'authorization', reason: 'not-permitted' }, answer.value.rules, established);
};

const denied = (fault: Fault, deciding: readonly string[] = [], established: readonly FactName[] = []): Decision => ({
  isAllowed: false,
  fault,
  rules: deciding,
  established,
  obligations: [],
});

const faultOfRule: ReadonlyMap<string, Fault> = new Map(
  rules.flatMap(({ id, code }) => {
    const [category, reason] = (code ?? '').split('/');
    return category && reason ? [[id, { category: category as Fault['category'], reason }] as const] : [];
  }),
);

/** By category in the order of the vocabulary, absence before what a rule forbids; the level sums others up, so it comes last. */
const order = (fault: Fault): number => {
  const rule = rules.findIndex(({ code }) => code === codeOf(fault)) + 1;
  return codeOf(fault) === summaryCode ? Number.POSITIVE_INFINITY : categories.indexOf(fault.category) * rules.length * 2 + rule;
};
const summaryCode = 'posture/level-too-low';

const firstInOrder = (faults: readonly Fault[]): Fault | undefined => [...faults].sort((a, b) => order(a) - order(b))[0];
