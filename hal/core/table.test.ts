import { expect, test } from 'vitest';
import { diagram, step, type Table, terminalStates } from './table.ts';

const door: Table<'open' | 'closed' | 'gone', 'push' | 'remove', 'creak'> = {
  open: { push: ['closed', 'creak'], remove: ['gone'] },
  closed: { push: ['open'] },
  gone: {},
};

test('a cell gives the next state and its actions in order', () => {
  expect(step(door, 'open', 'push')).toEqual({ ok: true, value: { state: 'closed', actions: ['creak'] } });
});

test('a missing cell refuses the event and names it', () => {
  expect(step(door, 'closed', 'remove')).toMatchObject({
    ok: false,
    fault: { category: 'protocol', reason: 'event-refused', detail: 'remove in closed' },
  });
});

test('terminal states are those that lead nowhere else', () => {
  expect(terminalStates(door)).toEqual(['gone']);
});

test('the diagram is drawn from the table', () => {
  expect(diagram(door)).toBe(
    'stateDiagram-v2\n  open --> closed: push / creak\n  open --> gone: remove\n  closed --> open: push\n',
  );
});
