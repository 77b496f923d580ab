/**
 * The mind's side of an update: fetch, verify, decode, hand over. Memory is one dictionary, one segment and one batch of
 * pieces (256 KiB), whatever the size of the image.
 *
 * The release was verified before (`ota-client/trust`): this trusts its pins and nothing that comes over the network.
 */

import { equalBytes } from '#hal/core/bytes';
import { releaseMemory } from '#hal/core/release-memory';
import { codeOf, deny, done, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { PayloadFiles } from '../payload/files.ts';
import { digestAt, maxIndexBytes, parseIndex, type SegmentIndex } from '../payload/segment-index.ts';
import { hashBytes } from '../payload/verity.ts';
import { type FetchRange, fetcher } from './fetch.ts';
import type { Begun, Installer, InstallOrder } from './installer.ts';
import { type RunningImage, segmentMaker, type TierName } from './tiers.ts';

export interface InstallParts {
  /** Asked in order. */
  readonly mirrors: readonly FetchRange[];
  readonly installer: Installer;
  readonly clock: Clock;
  readonly running?: RunningImage;
  readonly onProgress?: (progress: InstallProgress) => void;
  /** Before the first segment of a call, and of each round in which the hands had lost some. */
  readonly onBegun?: (begun: InstallBegun) => void;
}

/** Where an install goes on: what lies before is kept as it is. */
export interface InstallBegun {
  readonly segment: number;
  readonly segments: number;
  /** Segments on the medium that were verified again, since a cut may have hurt them: at most one window, or all of a slot that was not the image. */
  readonly recheckedSegments: number;
}

export interface InstallProgress {
  readonly phase: 'write' | 'read-back';
  /** Handed over; durable up to the last window. */
  readonly segment: number;
  readonly segments: number;
  /** Since this call began, index and recipes included. */
  readonly fetchedBytes: number;
  /** Segments of this call by the way they were made. */
  readonly made: Readonly<Record<TierName, number>>;
}

/** On a slow network a window takes minutes: what is written is made durable this often all the same. */
const flushEveryMs = 2_000;

/**
 * Write a release to the slot that does not run, from wherever an earlier call was cut. It is then read back and proved,
 * and not yet armed.
 *
 * @returns nothing, also where there was nothing left to write; `unavailable/aborted`; a fault of fetching, decoding or
 * of the hands. What is durable stays, so that a later call goes on from there.
 */
export const install = async (
  order: InstallOrder,
  files: PayloadFiles,
  parts: InstallParts,
  signal: AbortSignal,
): Promise<Result<void>> => {
  const fetch = fetcher(parts.mirrors, signal);
  const indexBytes = await fetch.file(files.index, maxIndexBytes);
  if (!indexBytes.ok) return indexBytes;
  const index = parseIndex(indexBytes.value);
  if (!index.ok) return index;
  if (index.value.imageBytes !== order.release.imageBytes)
    return deny('integrity', 'payload-malformed', 'index of another image');
  const maker = segmentMaker(index.value, files, fetch, parts.running, signal);
  const made: Record<TierName, number> = { same: 0, pair: 0, adaptive: 0, full: 0 };
  const { installer, clock } = parts;
  const report = (phase: InstallProgress['phase'], segment: number, segments: number) =>
    parts.onProgress?.({ phase, segment, segments, fetchedBytes: fetch.fetchedBytes, made: { ...made } });

  /** As many as lie side by side and are in the running slot, made where slot and medium are. @returns how many were */
  const takeFrom = async (segment: number): Promise<Result<number>> => {
    const take = parts.running?.take;
    if (take === undefined) return ok(0);
    const wanted = await maker.takable(segment);
    return wanted.digests.length === 0 ? ok(0) : take(segment, wanted);
  };

  const writeFrom = async (first: number, segments: number): Promise<Result<void>> => {
    let flushedMs = clock.bootMs();
    for (let segment = first; segment < segments; ) {
      if (signal.aborted) return deny('unavailable', 'aborted');
      const taken = await takeFrom(segment);
      if (!taken.ok) return taken;
      segment += taken.value;
      made[maker.firstTier] += taken.value;
      if (taken.value === 0) {
        const ready = await maker.make(segment);
        if (!ready.ok) return ready;
        const written = await installer.write(segment, ready.value.bytes);
        releaseMemory(ready.value.bytes);
        if (!written.ok) return written;
        segment += 1;
        made[ready.value.tier] += 1;
      }
      if (clock.bootMs() - flushedMs >= flushEveryMs) {
        const flushed = await installer.flushWindow();
        if (!flushed.ok) return flushed;
        flushedMs = clock.bootMs();
      }
      report('write', segment, segments);
    }
    return done;
  };

  try {
    for (;;) {
      const begun = await installer.begin(order);
      if (!begun.ok) return begun;
      const { stage, segments, recheck } = begun.value;
      if (stage !== 'write') return done;
      const segment = goOnAt(index.value, begun.value);
      parts.onBegun?.({ segment, segments, recheckedSegments: recheck.digests.length / hashBytes });
      const written = await writeFrom(segment, segments);
      if (!written.ok) {
        await installer.flushWindow();
        return written;
      }
      report('read-back', segments, segments);
      const finished = await installer.finish();
      // A medium that lost what it had acknowledged: the hands say which segments, and refuse after some rounds (row 6).
      if (finished.ok || codeOf(finished.fault) !== 'integrity/image-mismatch') return finished;
    }
  } finally {
    await installer.abandon(order.owner);
  }
};

/** The first rechecked segment that is not the image's. */
const goOnAt = (index: SegmentIndex, { recheck: { firstSegment, digests } }: Begun): number => {
  for (let at = 0; at < digests.length; at += hashBytes) {
    const segment = firstSegment + at / hashBytes;
    if (!equalBytes(digests.subarray(at, at + hashBytes), digestAt(index, segment))) return segment;
  }
  return firstSegment + digests.length / hashBytes;
};
