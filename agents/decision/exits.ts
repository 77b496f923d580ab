/**
 * What stays possible where the policy engine does not load: the ways out of it. A signed release installs, a trial comes to
 * its end, a signed order suspends or resumes (SR-12, SR-13, SR-17). Everything else is denied.
 *
 * Each of these is verified a second time elsewhere: the hands open the statement of a release themselves (SR-01), and an
 * order is opened with the pinned keys of its administrators.
 */
import type { Fault } from '#hal/core/result';
import type { ActionName, Resource } from './actions.ts';
import type { Engine } from './engine.ts';
import type { Actor } from './facts.ts';

interface Exit {
  readonly resource: Resource;
  readonly assurance: Actor['assurance'];
}

const exits: Readonly<Partial<Record<ActionName, Exit>>> = {
  'install-release': { resource: 'device', assurance: 'administrator' },
  'change-lifecycle': { resource: 'device', assurance: 'administrator' },
  'end-trial': { resource: 'device', assurance: 'health-gate' },
};
/** Ends of a life: nothing is installed any more, and nothing ordered. */
const outOfService = ['replaced', 'revoked', 'retired', 'wiped'];

/** Stands in the record of a decision in place of a rule. */
export const exitRule = 'exit-without-engine';

/** @param fault why the engine does not load: what every other decision says */
export const exitsOnly =
  (fault: Fault): Engine =>
  ({ action, resource, facts: { actor, osTrust } }) => {
    const exit = Object.hasOwn(exits, action) ? exits[action as ActionName] : undefined;
    const isOpen =
      exit !== undefined &&
      exit.resource === resource &&
      exit.assurance === actor?.assurance &&
      osTrust !== undefined &&
      !outOfService.includes(osTrust.lifecycle);
    return isOpen ? { ok: true, value: { isAllowed: true, rules: [exitRule] } } : { ok: false, fault };
  };
