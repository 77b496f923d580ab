/**
 * When something happens in an update, as whoever stands beside the device can see it: what the mirror is asked for,
 * what changes on the media of the slots, what the mind records.
 */
import { watch } from 'node:fs';
import { dirname } from 'node:path';
import type { AuditEvent } from '#agents/audit/events';
import { decodeMessage } from '#hal/core/message';
import { unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { slotFiles } from '#sim/machine/layout';
import type { ProcessWorld } from './processes.ts';

export type Sign =
  /** A range of a file, before it is answered. */
  | { readonly of: 'request' }
  /** A file beside `a.img`. */
  | { readonly of: 'medium'; readonly names: readonly string[] }
  | { readonly of: 'record'; readonly event: AuditEvent; readonly action?: string }
  /** The watching itself. */
  | { readonly of: 'now' };

export interface Moment {
  readonly sign: Sign;
  /** How often the sign is seen first: 1 is the first time. */
  readonly nth: number;
  /** How long after it. */
  readonly thenMs: number;
}

export interface Watch {
  /** Resolves to true once the moment came and its act was done; to false where `end` came first. */
  readonly reached: Promise<boolean>;
  /** Nothing more is waited for; an act whose sign was seen is done all the same. */
  end(): void;
}

const clock = linuxClock();
const pollMs = 3;
const pageSize = 256;

/** Acts once, at this moment from now on: with no delay it is done before whatever made the sign goes on. */
export const watchFor = async (world: ProcessWorld, { sign, nth, thenMs }: Moment, act: () => void): Promise<Watch> => {
  const { promise: reached, resolve } = Promise.withResolvers<boolean>();
  const ending = new AbortController();
  let seen = 0;
  const note = (): void => {
    seen += 1;
    if (seen !== nth || ending.signal.aborted) return;
    const strike = () => {
      act();
      resolve(true);
    };
    if (thenMs === 0) strike();
    else void clock.sleep(thenMs, new AbortController().signal).then(strike);
  };
  const stop = await listen(world, sign, note, ending.signal);
  return {
    reached,
    end() {
      stop();
      ending.abort();
      if (seen < nth) resolve(false);
    },
  };
};

const listen = async (world: ProcessWorld, sign: Sign, note: () => void, signal: AbortSignal): Promise<() => void> => {
  switch (sign.of) {
    case 'now':
      note();
      return () => undefined;
    case 'request':
      world.fleet.files.takePath((_path, _offset, bytes) => {
        note();
        return bytes;
      });
      return () => world.fleet.files.takePath();
    case 'medium': {
      const watching = watch(dirname(slotFiles(world.device.directory).a), (_, name) => {
        if (name !== null && sign.names.includes(name)) note();
      });
      return () => watching.close();
    }
    case 'record': {
      const { size } = unwrap(await world.device.app.call('audit.status', {}));
      void readRecords(world, size, signal, ({ event, action }) => {
        if (event === sign.event && action === sign.action) note();
      });
      return () => undefined;
    }
  }
};

/** Each record from this index on, as it comes; while the mind is away nothing comes. */
const readRecords = async (
  { device }: ProcessWorld,
  first: number,
  signal: AbortSignal,
  take: (record: { readonly event: string; readonly action?: string }) => void,
): Promise<void> => {
  for (let fromIndex = first; !signal.aborted; await clock.sleep(pollMs, signal)) {
    const page = await device.app.call('audit.list', { fromIndex, count: pageSize });
    for (const { record } of page.ok ? page.value.entries : []) {
      fromIndex += 1;
      const decoded = decodeMessage('AuditRecord', record ?? new Uint8Array());
      if (decoded.ok) take(decoded.value);
    }
  }
};
