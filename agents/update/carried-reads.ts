/**
 * Reading from what somebody carried to this device: the device says which part it wants, whoever ordered the install
 * hands it over, turn by turn. The parts are as little trusted as those of a mirror.
 */
import type { ReadRange } from '#agents/mind/far-ends';
import { encodeGiven } from '#hal/core/message';
import { deny, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { CarriedPart, CarriedWant } from '#protos/gen/types';

export interface CarriedReads {
  /**
   * @returns `unavailable/not-found` for what nobody carried, `unavailable/aborted` when it is over, `resource/queue-full`,
   * `resource/time-limit` where nobody hands the part over, `protocol/field-invalid` for a path that no repository of ours has
   */
  readonly read: ReadRange;
  /** Takes the part of the want before; @returns the oldest want that nobody has answered, undefined when nothing more is wanted */
  turn(part: CarriedPart | undefined, signal: AbortSignal): Promise<CarriedWant | undefined>;
  end(): void;
}

/** Reads that wait for their turn; an install reads a few pieces ahead. */
export const maxWants = 64;
/** A stick is slow, and so is whoever types beside it. */
const withinMs = 60_000;

type Answer = (read: Result<Uint8Array>) => void;

export const carriedReads = (clock: Pick<Clock, 'sleep'>): CarriedReads => {
  /** In order. One stays until it is answered, so that an answer which is lost is asked for again. */
  const wants = new Map<number, { readonly want: CarriedWant; readonly answer: Answer }>();
  const waiting = new Set<() => void>();
  let numbers = 0;
  let isOver = false;
  const wake = () => {
    for (const waiter of waiting) waiter();
  };

  const settle = (number: number, read: Result<Uint8Array>): void => {
    wants.get(number)?.answer(read);
    wants.delete(number);
  };

  const woken = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        waiting.delete(done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      waiting.add(done);
    });

  return {
    read: (path, offset, mostBytes, signal) => {
      if (isOver || signal.aborted) return Promise.resolve(aborted);
      if (wants.size >= maxWants) return Promise.resolve(deny('resource', 'queue-full', `${maxWants} reads`));
      const want = { number: numbers + 1, path, offset, mostBytes };
      const sayable = encodeGiven('CarriedWant', want);
      if (!sayable.ok) return Promise.resolve(sayable);
      numbers += 1;
      const { number } = want;
      return new Promise((resolve) => {
        const leave = () => settle(number, aborted);
        const answered = new AbortController();
        signal.addEventListener('abort', leave, { once: true });
        const answer: Answer = (read) => {
          signal.removeEventListener('abort', leave);
          answered.abort();
          resolve(read);
        };
        wants.set(number, { want, answer });
        // Who ordered and does not carry must not keep others from an install, least of all from a repair (SR-12).
        void clock.sleep(withinMs, answered.signal).then(() => settle(number, late));
        wake();
      });
    },
    async turn(given, signal) {
      if (given !== undefined)
        settle(given.number, given.part === undefined ? deny('unavailable', 'not-found', 'not carried') : ok(given.part));
      while (!isOver && !signal.aborted) {
        const [oldest] = wants.values();
        if (oldest !== undefined) return oldest.want;
        await woken(signal);
      }
      return undefined;
    },
    end() {
      isOver = true;
      for (const number of [...wants.keys()]) settle(number, aborted);
      wake();
    },
  };
};

const late = deny('resource', 'time-limit', 'nobody hands over what was to be carried');
const aborted = deny('unavailable', 'aborted', 'nobody carries any more');
