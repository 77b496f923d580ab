/**
 * From button edges to gestures: a press of 2 s or five taps within 3 s is `sos`, both buttons for 2 s are `chord`.
 * An edge counts when the level has stood for 20 ms, so bounce is nothing.
 */
export const gestureMs = { settle: 20, hold: 2_000, tap: 500, taps: 3_000 } as const;
const tapCount = 5;

interface Button {
  readonly raw: boolean;
  readonly changedMs: number;
  readonly isDown: boolean;
  readonly downMs: number;
}

export interface Gestures {
  readonly sos: Button;
  readonly side: Button;
  /** Releases of short presses, oldest first. */
  readonly taps: readonly number[];
  /** The present hold has given its gesture. */
  readonly hasFired: boolean;
  /** The gesture was a held `sos`: letting go means something. */
  readonly isHolding: boolean;
}

const up: Button = { raw: false, changedMs: 0, isDown: false, downMs: 0 };
export const noGesture: Gestures = { sos: up, side: up, taps: [], hasFired: false, isHolding: false };

export type Gesture = 'sos' | 'chord' | 'release';

export const edge = (gestures: Gestures, button: 'sos' | 'side', isDown: boolean, atMs: number): Gestures =>
  gestures[button].raw === isDown ? gestures : { ...gestures, [button]: { ...gestures[button], raw: isDown, changedMs: atMs } };

/** Let time pass: what has settled, and which gestures that makes. */
export const settle = (before: Gestures, atMs: number): { gestures: Gestures; made: readonly Gesture[] } => {
  const made: Gesture[] = [];
  let gestures = before;
  for (const name of ['sos', 'side'] as const) {
    const button = gestures[name];
    if (button.raw === button.isDown || atMs - button.changedMs < gestureMs.settle) continue;
    const settled = { ...button, isDown: button.raw, downMs: button.raw ? button.changedMs : button.downMs };
    gestures = { ...gestures, [name]: settled };
    if (name === 'sos' && !settled.isDown)
      gestures = released(gestures, settled.changedMs - settled.downMs, settled.changedMs, made);
  }
  const { sos, side } = gestures;
  if (!sos.isDown && !side.isDown && gestures.hasFired) gestures = { ...gestures, hasFired: false };
  if (!gestures.hasFired && sos.isDown && sos.raw) {
    const isChord = side.isDown;
    const sinceMs = isChord ? Math.max(sos.downMs, side.downMs) : sos.downMs;
    if (atMs - sinceMs >= gestureMs.hold) {
      made.push(isChord ? 'chord' : 'sos');
      gestures = { ...gestures, hasFired: true, isHolding: !isChord, taps: [] };
    }
  }
  return { gestures, made };
};

const released = (gestures: Gestures, heldMs: number, atMs: number, made: Gesture[]): Gestures => {
  if (gestures.isHolding) {
    made.push('release');
    return { ...gestures, isHolding: false };
  }
  if (heldMs > gestureMs.tap || gestures.side.isDown) return { ...gestures, taps: [] };
  const taps = [...gestures.taps, atMs].filter((tapMs) => atMs - tapMs <= gestureMs.taps);
  if (taps.length < tapCount) return { ...gestures, taps };
  made.push('sos');
  return { ...gestures, taps: [] };
};

/** When time alone will change something; undefined while no button is touched. */
export const nextGestureMs = ({ sos, side, hasFired }: Gestures): number | undefined => {
  const due: number[] = [];
  for (const button of [sos, side]) if (button.raw !== button.isDown) due.push(button.changedMs + gestureMs.settle);
  if (!hasFired && sos.isDown && sos.raw)
    due.push((side.isDown ? Math.max(sos.downMs, side.downMs) : sos.downMs) + gestureMs.hold);
  return due.length === 0 ? undefined : Math.min(...due);
};
