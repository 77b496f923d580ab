/** What the page shows at the moment, and what it has shown. */
import { type Watchers, watchers } from '#agents/mind/watchers';
import { codeOf, type Fault } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Posture } from '#protos/gen/types';
import { type Change, remembered } from './history.ts';
import { postureJson } from './posture-json.ts';
import type { Reading } from './reading.ts';
import { type PageView, viewOf } from './view.ts';

export interface Board extends Pick<Watchers, 'changed'> {
  hold(posture: Posture, nextStep: string): void;
  lose(fault: Fault): void;
  /** How old the last measurement is; undefined where nothing is known. */
  ageMs(): number | undefined;
  view(): PageView;
  json(): string;
}

export const newBoard = (clock: Clock): Board => {
  const { changed, notify } = watchers();
  let reading: Reading = { kind: 'down', code: 'unavailable/program-down' };
  let changes: readonly Change[] = [];

  const view = (): PageView => {
    const atBootMs = clock.bootMs();
    changes = remembered(changes, viewOf(reading, changes, atBootMs), { atBootMs, atMs: clock.nowMs() });
    return viewOf(reading, changes, atBootMs);
  };
  const take = (next: Reading) => {
    reading = next;
    view();
    notify();
  };

  return {
    changed,
    view,
    hold(posture, nextStep) {
      // Watchers are told of other changes too: then the same measurement comes again, and is as old as it is.
      const sinceBootMs =
        reading.kind === 'measured' && reading.posture.measuredMs === posture.measuredMs ? reading.atBootMs : clock.bootMs();
      take({ kind: 'measured', posture, nextStep, atBootMs: sinceBootMs });
    },
    lose(fault) {
      const code = codeOf(fault);
      if (reading.kind !== 'down' || reading.code !== code) take({ kind: 'down', code });
    },
    ageMs: () => (reading.kind === 'measured' ? clock.bootMs() - reading.atBootMs : undefined),
    json: () => postureJson(reading, view().changes, clock.bootMs()),
  };
};
