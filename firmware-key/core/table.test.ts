import { describe, expect, test } from 'vitest';
import type { Domain } from './effects.ts';
import { domainsOf } from './power.ts';
import golden from './table.golden.json' with { type: 'json' };
import { type Action, covert, type Event, events, type Row, type State, stateMs, states, visible } from './table.ts';

/** The golden file's word for each action. */
const outputsOf: { readonly [A in Action]: readonly string[] } = {
  'feel-press': ['hap'],
  'feel-countdown': ['hap'],
  'feel-alert': ['hap'],
  'feel-ack': ['hap'],
  'feel-cancel': ['hap'],
  'feel-refused': ['hap'],
  object: ['hap'],
  advertise: ['adv'],
  open: ['tx', 'gnss'],
  recall: ['tx'],
  close: ['tx'],
  locate: ['gnss'],
  'make-alert': ['new'],
  'make-test': ['test'],
  erase: ['end'],
  'count-try': ['try'],
  dock: ['dock'],
  'save-ledger': ['led'],
};

type AnyTable = { readonly [state: string]: Row<string> };
const whole: AnyTable = { ...visible, covert };

/** A cell as the golden file writes it. */
const written = (table: AnyTable, state: string, event: Event): string | undefined => {
  const cell = table[state]?.[event];
  if (cell === undefined) return undefined;
  const [next, ...actions] = cell;
  return [next, ...new Set(actions.flatMap((action) => outputsOf[action]))].join(' ');
};

const rows: { readonly [state: string]: { readonly [event: string]: string } } = (({ about, ...rest }) => rest)(golden);

const differences = (table: AnyTable): readonly string[] =>
  [...states, 'covert'].flatMap((state) =>
    events.flatMap((event) => {
      const [ours, theirs] = [written(table, state, event), rows[state]?.[event]];
      return ours === theirs ? [] : [`${state} × ${event}: ${ours ?? 'ignored'} instead of ${theirs ?? 'ignored'}`];
    }),
  );

/** States with whether a gesture has happened since the last dormancy, from factory on. */
const explore = (table: AnyTable) => {
  const armedBy = new Set<Event>(['sos', 'hostArm', 'testReq']);
  const seen = new Map<string, { readonly state: State; readonly isArmed: boolean; readonly isLinked: boolean }>();
  const queue = [{ state: 'factory' as State, isArmed: false, isLinked: false }];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    const key = `${node.state} ${node.isArmed} ${node.isLinked}`;
    if (seen.has(key)) continue;
    seen.set(key, node);
    for (const event of events) {
      const cell = table[node.state]?.[event];
      if (cell === undefined) continue;
      const state = cell[0] as State;
      const isRest = state === 'dormant';
      queue.push({
        state,
        isArmed: !isRest && (node.isArmed || armedBy.has(event)),
        isLinked: !isRest && (node.isLinked || event === 'vbus' || event === 'chord'),
      });
    }
  }
  return [...seen.values()];
};

const radiates: readonly Domain[] = ['transmit', 'locate'];

describe('the state table', () => {
  test('is the golden one: 12 rows by 23 events, 276 cells', () => {
    expect([[...states, 'covert'].length, events.length]).toEqual([12, 23]);
    expect(differences(whole)).toEqual([]);
    expect(Object.keys(rows)).toEqual([...states, 'covert']);
    const defined = Object.values(rows).reduce((count, row) => count + Object.keys(row).length, 0);
    expect([defined, 276 - defined]).toEqual([74, 202]);
  });

  test('every mutant is killed: another target, another action, a cell dropped or added', () => {
    let mutants = 0;
    const kill = (state: string, event: Event, cell: readonly string[] | undefined): void => {
      const row = { ...whole[state] } as { [event: string]: readonly string[] };
      if (cell === undefined) delete row[event];
      else row[event] = cell;
      mutants += 1;
      expect(differences({ ...whole, [state]: row as unknown as Row<string> }), `${state} × ${event} → ${cell}`).not.toEqual([]);
    };
    for (const state of [...states, 'covert'])
      for (const event of events) {
        const cell = whole[state]?.[event];
        const targets = state === 'covert' ? ['on', 'off'] : states;
        for (const target of targets) if (target !== cell?.[0]) kill(state, event, [target, ...(cell?.slice(1) ?? [])]);
        if (cell === undefined) continue;
        kill(state, event, undefined);
        const [next, ...actions] = cell;
        for (const action of actions) kill(state, event, [next, ...actions.filter((word) => word !== action)]);
        for (const action of Object.keys(outputsOf) as Action[]) {
          const isSeen = outputsOf[action].some((word) => !actions.some((own) => outputsOf[own].includes(word)));
          if (isSeen) kill(state, event, [next, ...actions, action]);
        }
      }
    expect(mutants).toBe(4_001);
  });

  test('every state is reached from the factory, and every state reaches dormancy', () => {
    expect(new Set(explore(whole).map(({ state }) => state))).toEqual(new Set(states));
    for (const from of states) {
      const reached = new Set<State>([from]);
      for (const state of reached) for (const cell of Object.values(visible[state])) reached.add(cell[0]);
      expect(reached.has('dormant'), from).toBe(true);
    }
  });

  test('in every state × armed × linked: no alert and no position without a press, no line without cable or chord', () => {
    const nodes = explore(whole);
    expect(nodes.length).toBe(16);
    for (const { state, isArmed, isLinked } of nodes) {
      const domains = domainsOf(state, false);
      if (!isArmed)
        expect(
          domains.filter((domain) => radiates.includes(domain)),
          state,
        ).toEqual([]);
      if (!isLinked)
        expect(
          domains.filter((domain) => domain === 'link' || domain === 'advertise'),
          state,
        ).toEqual([]);
    }
  });

  test('nothing exists in dormancy, and only a press, a chord, the cable or a fault leaves it', () => {
    expect(domainsOf('dormant', false)).toEqual([]);
    expect(stateMs.dormant).toBeUndefined();
    const leaving = events.filter((event) => (visible.dormant[event]?.[0] ?? 'dormant') !== 'dormant');
    expect(leaving).toEqual(['sos', 'chord', 'vbus', 'fault']);
  });

  test('a press counts in every state but a new Key and one that is being armed', () => {
    expect(states.filter((state) => visible[state].sos === undefined)).toEqual(['factory', 'arming']);
  });

  test('cancel and duress are the same cell everywhere (SR-24)', () => {
    for (const state of states) expect(visible[state].duressPin).toEqual(visible[state].cancelPin);
  });

  test('contacts end nothing that is covert (SR-27), and the flag adds nothing that can be felt', () => {
    for (const event of ['resolved', 'ackAll', 'ackSome', 'timer'] as const) expect(covert[event]?.[0] ?? 'on').toBe('on');
    for (const state of states)
      for (const domain of ['haptic', 'advertise', 'link'] as const)
        expect(domainsOf(state, true).includes(domain)).toBe(domainsOf(state, false).includes(domain));
  });
});
