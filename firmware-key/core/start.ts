/**
 * Power has come. What was persisted is taken up; what lived in memory (sessions, half a gesture) is gone. An event that
 * had begun goes on: a press that was being held becomes a countdown, an alert is sent again to whoever has not
 * acknowledged it.
 */
import { type Draft, set } from './draft.ts';
import { domainsOf } from './power.ts';
import { restore } from './records.ts';
import { type Alert, alertMs, factoryState, type KeyState, without } from './state.ts';
import { type State, stateMs } from './table.ts';

const after: { readonly [S in State]?: State } = {
  wake: 'dormant',
  bound: 'dormant',
  pairing: 'dormant',
  update: 'dormant',
  arming: 'countdown',
};

/** @returns the state as it was persisted, from which the changes of this step are counted */
export const start = (draft: Draft, records: { readonly [record: string]: string }): KeyState => {
  const stored = restore(factoryState, records);
  const visible = after[stored.visible] ?? stored.visible;
  const lasting = stateMs[visible];
  draft.state = {
    ...without(stored, 'timerMs'),
    ...(lasting === undefined ? {} : { timerMs: draft.atMs + lasting }),
    visible,
    ledger: { ...stored.ledger, atMs: draft.atMs },
  };
  if (stored.alert !== undefined) set(draft, { alert: resumed(draft, stored.alert) });
  if (stored.covert !== undefined) set(draft, { covert: resumed(draft, stored.covert) });
  if (domainsOf(visible, false).includes('haptic') && visible !== 'cancel-sent')
    draft.effects.push({ do: 'haptic', pattern: visible === 'countdown' ? 'countdown' : 'alert' });
  return stored;
};

/** Deadlines of a clock that may be another one now: everything is due, and nothing lasts longer than it may. */
const resumed = (draft: Draft, alert: Alert): Alert => {
  const isWaiting = alert.awaiting.length > 0 || alert.engaged.some(({ outbox }) => outbox.length > 0);
  const { beginMs } = alert;
  return {
    ...without(alert, 'retryMs', 'objectMs'),
    retries: 0,
    wantsFix: false,
    ...(isWaiting && alert.tier > 0 ? { retryMs: draft.atMs } : {}),
    ...(alert.updateMs === undefined ? {} : { updateMs: draft.atMs }),
    ...(alert.tierMs === undefined ? {} : { tierMs: draft.atMs + alertMs.tier }),
    ...(beginMs === undefined ? {} : { beginMs: Math.min(beginMs, draft.atMs + alertMs.covertDelay.most) }),
    endMs: Math.min(alert.endMs, draft.atMs + alertMs.longest),
  };
};
