/**
 * What an install does again after a cut, counted: where the next call goes on, as its mind logs it, against what lies on
 * the medium by our own comparison, and the ranges that the mirror was asked for twice.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { SlotName } from '#hal/ports/slots';
import { maxCompressedBytes, segmentBytes, segmentCount, segmentLength } from '#ota-client/payload/limits';
import type { SlotsView } from '#ota-client/slots/view';
import { simulatedLayout, slotFiles } from '#sim/machine/layout';
import type { ProcessWorld } from './processes.ts';

/** As the hands of the simulator are told. */
export const windowSegments = 4;

export interface Repeated {
  /** Calls that had segments to write. */
  installs: number;
  /** Segments that lay on the medium and were written once more: over all calls, and by one at most. */
  segments: number;
  mostSegments: number;
  /** By one call. */
  mostRechecked: number;
  mostFetchedBytes: number;
}

export interface RepeatedCount {
  readonly total: Repeated;
  /** Before a call of an install of this image into this slot. */
  callBegins(slot: SlotName, image: Uint8Array): void;
  /** After it, with what the hands say now: not more than one segment was repeated, nor can more than a window be by the next. */
  callEnded(view: SlotsView): void;
}

interface Begun {
  readonly segment: number;
  readonly recheckedSegments: number;
}

export const countRepeated = ({ device, fleet }: ProcessWorld): RepeatedCount => {
  const log = join(simulatedLayout(device.directory).logs, 'agentd.log');
  const total = { installs: 0, segments: 0, mostSegments: 0, mostRechecked: 0, mostFetchedBytes: 0 };
  let linesBefore = 0;
  let askedBefore = 0;
  let fetchedEnd = 0;
  let call: { readonly slot: SlotName; readonly image: Uint8Array; readonly written: number } | undefined;
  let last: Uint8Array | undefined;

  const countBegun = ({ segment, recheckedSegments }: Begun, written: number): void => {
    const again = Math.max(0, written - segment);
    expect(again, 'segments written again').toBeLessThanOrEqual(1);
    expect(recheckedSegments, 'segments verified again').toBeLessThanOrEqual(windowSegments);
    total.installs += 1;
    total.segments += again;
    total.mostSegments = Math.max(total.mostSegments, again);
    total.mostRechecked = Math.max(total.mostRechecked, recheckedSegments);
  };
  /** Pieces are stored in the order of their segments: what is fetched again begins before where the last call had come. */
  const countFetched = (): void => {
    const ranges = fleet.files.asked.slice(askedBefore).flatMap((asked) => {
      const [, first, end] = /\.pieces (\d+)-(\d+)$/.exec(asked) ?? [];
      return first === undefined ? [] : [{ first: Number(first), end: Number(end) + 1 }];
    });
    askedBefore = fleet.files.asked.length;
    if (ranges.length === 0) return;
    const again = fetchedEnd - Math.min(...ranges.map(({ first }) => first));
    // The batch that was on its way, or one piece that is longer.
    expect(again, 'bytes fetched again').toBeLessThanOrEqual(maxCompressedBytes);
    total.mostFetchedBytes = Math.max(total.mostFetchedBytes, again);
    fetchedEnd = Math.max(...ranges.map(({ end }) => end));
  };

  return {
    total,
    callBegins(slot, image) {
      if (last !== image) {
        linesBefore = begunOf(log).length;
        askedBefore = fleet.files.asked.length;
        fetchedEnd = 0;
        last = image;
      }
      call = { slot, image, written: segmentsOn(slotFiles(device.directory)[slot], image) };
    },
    callEnded({ slots }) {
      if (call === undefined) return;
      const { slot, image, written } = call;
      const begun = begunOf(log);
      for (const line of begun.slice(linesBefore)) countBegun(line, written);
      linesBefore = begun.length;
      countFetched();
      const { state, writtenSegments } = slots[slot];
      if (state !== 'writing') return;
      const now = segmentsOn(slotFiles(device.directory)[slot], image);
      expect(writtenSegments, 'the journal does not lead the data').toBeLessThanOrEqual(now);
      expect(now - writtenSegments, 'nor lag behind by more than a window').toBeLessThanOrEqual(windowSegments);
    },
  };
};

/** What `update.begun` says, oldest first. */
const begunOf = (path: string): readonly Begun[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"event":"update.begun"'))
    .map((line) => JSON.parse(line) as Begun);

/** Whether the file begins with this image. */
export const isOnMedium = (path: string, image: Uint8Array): boolean => segmentsOn(path, image) === segmentCount(image.length);

/** Segments of the image, from the first on, that the file has. */
const segmentsOn = (path: string, image: Uint8Array): number => {
  const file = openSync(path, 'r');
  try {
    for (let segment = 0; segment < segmentCount(image.length); segment += 1) {
      const bytes = new Uint8Array(segmentLength(image.length, segment));
      readSync(file, bytes, 0, bytes.length, segment * segmentBytes);
      const wanted = image.subarray(segment * segmentBytes, segment * segmentBytes + bytes.length);
      if (Buffer.compare(bytes, wanted) !== 0) return segment;
    }
    return segmentCount(image.length);
  } finally {
    closeSync(file);
  }
};
