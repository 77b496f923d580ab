/**
 * Reading from what somebody carried to this device: the device says which part it wants, whoever ordered the install
 * hands it over, turn by turn. The parts are as little trusted as those of a mirror.
 */
import type { ReadRange } from '#agents/mind/far-ends';
import { deny, ok, type Result } from '#hal/core/result';
import type { CarriedPart, CarriedWant } from '#protos/gen/types';

export interface CarriedReads {
  /** @returns `unavailable/not-found` for what nobody carried, `unavailable/aborted` when it is over, `resource/queue-full` */
  readonly read: ReadRange;
  /** Takes the part of the want before; @returns the next want, undefined when nothing more is wanted */
  turn(part: CarriedPart | undefined, signal: AbortSignal): Promise<CarriedWant | undefined>;
  end(): void;
}

/** Reads that wait for their turn; an install reads a few pieces ahead. */
export const maxWants = 64;

type Answer = (read: Result<Uint8Array>) => void;

export const carriedReads = (): CarriedReads => {
  /** Not yet said, in order. */
  const queue: CarriedWant[] = [];
  const answers = new Map<number, Answer>();
  let numbers = 0;
  let isOver = false;
  let wake: () => void = () => undefined;

  const settle = (number: number, read: Result<Uint8Array>): void => {
    answers.get(number)?.(read);
    answers.delete(number);
  };

  const woken = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      wake = done;
    });

  return {
    read: (path, offset, mostBytes, signal) => {
      if (isOver || signal.aborted) return Promise.resolve(aborted);
      if (answers.size >= maxWants) return Promise.resolve(deny('resource', 'queue-full', `${maxWants} reads`));
      numbers += 1;
      const number = numbers;
      return new Promise((resolve) => {
        const leave = () => settle(number, aborted);
        signal.addEventListener('abort', leave, { once: true });
        answers.set(number, (read) => {
          signal.removeEventListener('abort', leave);
          resolve(read);
        });
        queue.push({ number, path, offset, mostBytes });
        wake();
      });
    },
    async turn(given, signal) {
      if (given !== undefined)
        settle(given.number, given.part === undefined ? deny('unavailable', 'not-found', 'not carried') : ok(given.part));
      while (!isOver && !signal.aborted) {
        const want = queue.shift();
        if (want === undefined) await woken(signal);
        // One that was called off meanwhile is wanted by nobody.
        else if (answers.has(want.number)) return want;
      }
      return undefined;
    },
    end() {
      isOver = true;
      for (const number of [...answers.keys()]) settle(number, aborted);
      wake();
    },
  };
};

const aborted = deny('unavailable', 'aborted', 'nobody carries any more');
