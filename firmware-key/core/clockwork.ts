/** What time alone does: gestures settle, states end, alerts go on, and the ledger is charged. */
import { nextAlertMs, passTime } from './alert.ts';
import { type Draft, set } from './draft.ts';
import { type Gesture, nextGestureMs, settle } from './gestures.ts';
import { charge, covertNa } from './ledger.ts';
import { type KeyState, limits, without } from './state.ts';
import { endCovert, fire } from './transition.ts';

/** Charge what has been used since the last input. */
export const spend = (draft: Draft): void => {
  const { state, atMs } = draft;
  const hidden = state.covert;
  if (hidden !== undefined && hidden.beginMs === undefined)
    set(draft, { covertPc: state.covertPc + covertNa * Math.max(0, atMs - state.ledger.atMs) });
  set(draft, { ledger: charge(state.ledger, state.visible, atMs) });
};

export const letTimePass = (draft: Draft): void => {
  const { gestures, made } = settle(draft.state.gestures, draft.atMs);
  if (gestures !== draft.state.gestures) set(draft, { gestures });
  for (const gesture of made) takeGesture(draft, gesture);
  if (isDue(draft, draft.state.timerMs)) fire(draft, 'timer');
  passVisible(draft);
  passCovert(draft);
};

const isDue = (draft: Draft, dueMs: number | undefined): boolean => dueMs !== undefined && dueMs <= draft.atMs;

/** The chord also confirms what the host has asked for; only where it asked nothing does it begin a pairing. */
const takeGesture = (draft: Draft, gesture: Gesture) => {
  const { pending, visible } = draft.state;
  const isConfirming = gesture === 'chord' && visible === 'bound' && pending !== undefined && pending.untilMs > draft.atMs;
  if (!isConfirming) return fire(draft, gesture);
  draft.state = without(draft.state, 'pending');
  if (pending.what === 'test') fire(draft, 'testReq');
  else set(draft, { setupUntilMs: draft.atMs + limits.setupWindowMs });
};

/** An event that was opened: what is due of it, and whether it has reached its end. */
const passVisible = (draft: Draft): void => {
  const { alert } = draft.state;
  if (alert === undefined || alert.tier === 0) return;
  set(draft, { alert: passTime(draft, alert) });
  const isOver = isDue(draft, alert.objectMs) || isDue(draft, alert.endMs);
  if (draft.state.visible === 'alerting' && isOver) fire(draft, 'resolved');
};

/** Never ended by contacts (SR-27): by its time, or by the cancel PIN. */
const passCovert = (draft: Draft): void => {
  const { covert } = draft.state;
  if (covert === undefined) return;
  const after = passTime(draft, covert);
  if (after !== covert) set(draft, { covert: after });
  if (isDue(draft, covert.endMs)) endCovert(draft);
};

/** When the board must wake the Key; undefined when only the world can. */
export const nextMs = (state: KeyState): number | undefined => {
  const opened = state.alert !== undefined && state.alert.tier > 0 ? state.alert : undefined;
  const due = [state.timerMs, nextGestureMs(state.gestures), nextAlertMs(opened), nextAlertMs(state.covert)];
  return due.reduce((least, one) => (one === undefined || (least !== undefined && least <= one) ? least : one), undefined);
};
