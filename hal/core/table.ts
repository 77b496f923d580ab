/** State machines as tables: the table is the documentation, and the diagram is generated from it. */
import { deny, ok, type Result } from '#hal/core/result';

/** A missing cell refuses the event. A cell is the next state, then the actions in order. */
export type Table<State extends string, Event extends string, Action extends string> = {
  readonly [S in State]: { readonly [E in Event]?: readonly [next: State, ...actions: Action[]] };
};

export interface Step<State, Action> {
  readonly state: State;
  readonly actions: readonly Action[];
}

/** @returns the next state and its actions, or `protocol/event-refused` */
export const step = <S extends string, E extends string, A extends string>(
  table: Table<S, E, A>,
  state: S,
  event: E,
): Result<Step<S, A>> => {
  const cell = table[state][event];
  if (cell === undefined) return deny('protocol', 'event-refused', `${event} in ${state}`);
  const [next, ...actions] = cell as readonly [S, ...A[]];
  return ok({ state: next, actions });
};

/** States from which no event leads anywhere else. */
export const terminalStates = <S extends string, E extends string, A extends string>(table: Table<S, E, A>): S[] =>
  (Object.keys(table) as S[]).filter((state) =>
    Object.values<readonly [S, ...A[]] | undefined>(table[state]).every((cell) => cell === undefined || cell[0] === state),
  );

/** The table as a Mermaid state diagram, for the documents. */
export const diagram = <S extends string, E extends string, A extends string>(table: Table<S, E, A>): string => {
  const lines = ['stateDiagram-v2'];
  for (const state of Object.keys(table) as S[])
    for (const [event, cell] of Object.entries<readonly [S, ...A[]] | undefined>(table[state]))
      if (cell !== undefined) lines.push(`  ${state} --> ${cell[0]}: ${[event, ...cell.slice(1)].join(' / ')}`);
  return `${lines.join('\n')}\n`;
};
