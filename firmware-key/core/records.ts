/**
 * What is persisted, and how: JSON with bytes as `x:` and hexadecimal. `life` is one record, so that an event and its
 * numbers change together or not at all.
 */
import type { Draft } from './draft.ts';
import { freshLedger, type Ledger } from './ledger.ts';
import { ofHex, toHex } from './octets.ts';
import type { Alert, KeyState, Setup } from './state.ts';

type Life = Pick<KeyState, 'visible' | 'timerMs' | 'alert' | 'covert' | 'tries' | 'battery' | 'audit'> & {
  readonly reservedUntil: number;
};

const lifeMembers = ['visible', 'timerMs', 'alert', 'covert', 'tries', 'battery', 'audit'] as const;

/** Looks at the member itself, not at what its `toJSON` made of it: Node's own byte arrays have one. */
export const encodeValue = (value: unknown): string =>
  JSON.stringify(value, function (this: { readonly [key: string]: unknown }, key: string, member: unknown) {
    const own = this[key];
    return own instanceof Uint8Array ? `x:${toHex(own)}` : member;
  });

export const decodeValue = (text: string): unknown =>
  JSON.parse(text, (_key, member: unknown) =>
    typeof member === 'string' && member.startsWith('x:') ? ofHex(member.slice(2)) : member,
  );

/** The records that this step has changed, in the order in which they must be written. */
export const persistChanges = (before: KeyState, draft: Draft): void => {
  const { state } = draft;
  const written: { record: string; value: string }[] = [];
  const hasLived =
    (['visible', 'tries', 'battery', 'audit'] as const).some((member) => before[member] !== state[member]) ||
    hasMoved(before.alert, state.alert) ||
    hasMoved(before.covert, state.covert) ||
    before.sequences.reservedUntil !== state.sequences.reservedUntil;
  if (hasLived) written.push({ record: 'life', value: encodeValue(lifeOf(state)) });
  if (before.setup !== state.setup) written.push({ record: 'setup', value: encodeValue(state.setup) });
  if (draft.savesLedger) written.push({ record: 'ledger', value: encodeValue({ ...state.ledger, covertPc: state.covertPc }) });
  draft.effects.unshift(...written.map(({ record, value }) => ({ do: 'persist' as const, record, value })));
};

/** When something is due next is not worth a write: after a power cut everything is due. */
const hasMoved = (before: Alert | undefined, after: Alert | undefined): boolean =>
  before !== after &&
  (before === undefined ||
    after === undefined ||
    (['event', 'purpose', 'chainKey', 'tier', 'engaged', 'awaiting', 'beginMs', 'ending'] as const).some(
      (member) => before[member] !== after[member],
    ));

const lifeOf = (state: KeyState): Life => {
  const life: { [member: string]: unknown } = { reservedUntil: state.sequences.reservedUntil };
  for (const member of lifeMembers) if (state[member] !== undefined) life[member] = state[member];
  return life as unknown as Life;
};

/** What was persisted over a state that has nothing; records of this program only, each whole or absent. */
export const restore = (fresh: KeyState, records: { readonly [record: string]: string }): KeyState => {
  const read = <T>(record: string): T | undefined => {
    const text = records[record];
    return text === undefined ? undefined : (decodeValue(text) as T);
  };
  const life = read<Life>('life');
  const setup = read<Setup>('setup') ?? fresh.setup;
  const ledger = read<Ledger & { covertPc: number }>('ledger');
  const { reservedUntil = 0, ...lived } = life ?? {};
  const { covertPc, ...spent } = ledger ?? { ...freshLedger, covertPc: 0 };
  return { ...fresh, ...lived, setup, ledger: spent, covertPc, sequences: { next: reservedUntil, reservedUntil } };
};
