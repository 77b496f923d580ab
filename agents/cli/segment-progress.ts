/** Progress of work on an image, on standard error: now and then, since an image has thousands of segments. */
import type { Clock } from '#hal/ports/clock';

const tellEveryMs = 5_000;

/** @returns what is called for each segment that is made */
export const segmentProgress = (say: (text: string) => void, { nowMs }: Pick<Clock, 'nowMs'>) => {
  let toldMs = nowMs();
  return (made: number, segments: number): void => {
    if (nowMs() - toldMs < tellEveryMs) return;
    toldMs = nowMs();
    say(`${made} of ${segments} segments`);
  };
};
