import { describe, expect, test } from 'vitest';
import { codeOf } from '#hal/core/result';
import { step, terminalStates } from '#hal/core/table';
import { type Lifecycle, type LifecycleEvent, lifecycle } from './lifecycle.ts';

const states = Object.keys(lifecycle) as Lifecycle[];
const events: readonly LifecycleEvent[] = [
  'enrol',
  'enrolled',
  'refused',
  'suspend',
  'resume',
  'replace',
  'revoke',
  'retire',
  'wipe',
];

/** What each event leads to, written down a second time: a change of the table is a change of this. */
const expected: Readonly<Record<Lifecycle, Partial<Record<LifecycleEvent, Lifecycle>>>> = {
  unenrolled: { enrol: 'enrolling', wipe: 'wiped' },
  enrolling: { enrol: 'enrolling', enrolled: 'active', refused: 'unenrolled', wipe: 'wiped' },
  active: { enrolled: 'active', suspend: 'suspended', replace: 'replaced', revoke: 'revoked', retire: 'retired', wipe: 'wiped' },
  suspended: { resume: 'active', replace: 'replaced', revoke: 'revoked', retire: 'retired', wipe: 'wiped' },
  replaced: { wipe: 'wiped' },
  revoked: { wipe: 'wiped' },
  retired: { wipe: 'wiped' },
  wiped: {},
};

/** Every state that can be reached from one. */
const reachable = (from: Lifecycle): Set<Lifecycle> => {
  const seen = new Set<Lifecycle>([from]);
  for (const state of seen)
    for (const event of events) {
      const next = step(lifecycle, state, event);
      if (next.ok) seen.add(next.value.state);
    }
  return seen;
};

describe('the life of a device', () => {
  test.each(states.flatMap((state) => events.map((event) => [state, event] as const)))(
    '%s takes %s as the table says',
    (state, event) => {
      const next = step(lifecycle, state, event);
      const to = expected[state][event];
      expect(next.ok ? next.value.state : codeOf(next.fault)).toBe(to ?? 'protocol/event-refused');
    },
  );

  test('ends in wiped, and nowhere else', () => {
    expect(terminalStates(lifecycle)).toEqual(['wiped']);
  });

  test('has no dead end: every state reaches wiped, and every state that is not over reaches active', () => {
    for (const state of states) expect(reachable(state).has('wiped'), state).toBe(true);
    const reachActive = states.filter((state) => reachable(state).has('active'));
    expect(reachActive).toEqual(['unenrolled', 'enrolling', 'active', 'suspended']);
  });

  test('never comes back from replaced, revoked, retired or wiped', () => {
    for (const over of ['replaced', 'revoked', 'retired', 'wiped'] as const)
      expect([...reachable(over)].filter((state) => state !== over && state !== 'wiped')).toEqual([]);
  });

  test('forgets its enrolment with every wipe and every refusal, and by nothing else', () => {
    for (const state of states)
      for (const event of events) {
        const next = step(lifecycle, state, event);
        if (next.ok)
          expect(next.value.actions, `${state} ${event}`).toEqual(
            event === 'wipe' || event === 'refused' ? ['forget-enrolment'] : [],
          );
      }
  });
});
