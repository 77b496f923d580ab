/** Two ends of one line in memory: what one writes the other reads. */
import { Inbox } from '#hal/core/inbox';
import { deny, done, ok } from '#hal/core/result';
import type { SerialLink, SerialLinks } from '#hal/ports/serial-link';

export interface MemoryLine extends SerialLinks {
  /** The device's end: what it writes, and what it does with what it gets. */
  readonly device: { write(bytes: Uint8Array): void; onBytes: (bytes: Uint8Array) => void };
  /** Pull the cable, or put it back. */
  plug(isIn: boolean): void;
}

const down = deny('unavailable', 'link-down');

export const memoryLine = (): MemoryLine => {
  let isIn = true;
  let inbox: Inbox | undefined;
  const device: MemoryLine['device'] = { write: (bytes) => void inbox?.push(bytes), onBytes: () => undefined };
  const hangUp = (): void => {
    inbox?.close(down);
    inbox = undefined;
  };
  return {
    device,
    plug(isPlugged) {
      isIn = isPlugged;
      if (!isIn) hangUp();
    },
    async open() {
      if (!isIn || inbox !== undefined) return down;
      const mine = new Inbox();
      inbox = mine;
      const link: SerialLink = {
        read: (signal) => mine.take(signal),
        async write(bytes) {
          if (inbox !== mine) return down;
          device.onBytes(bytes.slice());
          return done;
        },
        async close() {
          mine.close(down);
          if (inbox === mine) inbox = undefined;
        },
      };
      return ok(link);
    },
  };
};
