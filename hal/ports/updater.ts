/**
 * An update as the hands do it: the slot that does not run is written, another slot starts, the one that runs is read.
 *
 * `statement` is the original signed envelope of a release. Whoever implements this verifies it with keys of his own
 * (SR-01); nothing else that the caller says of a release counts.
 */
import type { Result } from '#hal/core/result';
import type { SlotName } from '#hal/ports/slots';

/** What the hands have for updates. */
export interface UpdatePorts {
  readonly slotWriter: SlotWriter;
  readonly slotStarter: SlotStarter;
  readonly runningSystem: RunningSystem;
}

/** One install at a time, and only its owner goes on with it. */
export interface SlotWriter {
  /** Takes an earlier install of the same release up. @returns where to go on; `resource/update-busy` while another owner installs */
  begin(order: WriteOrder): Promise<Result<WriteBegun>>;
  /** The next segment in order; becomes durable with the next flush. */
  write(owner: string, segment: number, bytes: Uint8Array): Promise<Result<void>>;
  /**
   * The next segments in order, out of the running slot: each is written if it has its digest.
   * @returns how many were written; the one after them could not be read, or is another. `protocol/field-invalid` where
   * digests and blocks are not those of as many segments
   */
  take(owner: string, segment: number, wanted: TakenRun): Promise<Result<number>>;
  flush(owner: string): Promise<Result<WriteProgress>>;
  /** Reads the whole slot back and proves it to be the signed image. */
  finish(owner: string): Promise<Result<void>>;
  /** What is durable stays for another `begin`. Harmless where nothing was begun. */
  abandon(owner: string): Promise<Result<void>>;
}

/** Segments that are in the running slot, one behind the other. */
export interface TakenRun {
  /** SHA-256 of each; of at most `maxTakenSegments`. */
  readonly digests: Uint8Array;
  /** What they are together, whole segments but for the last of an image; at most `maxTakenRanges`. */
  readonly ranges: readonly TakenRange[];
}

/** Blocks of 4 KiB. */
export interface TakenRange {
  /** Of the running slot; absent for zeros. */
  readonly block?: number;
  readonly blocks: number;
}

/** 32 MiB: with a message for each window of 8 MiB, the messages were a tenth of the CPU of an update. */
export const maxTakenSegments = 128;
export const maxTakenRanges = 2048;

/** What starts; every change may be asked for again by whoever was cut. */
export interface SlotStarter {
  /** The written slot starts next, on trial; or becomes the fallback, where the release runs committed already. */
  arm(statement: Uint8Array): Promise<Result<ArmOutcome>>;
  /** Keeps the running slot. */
  commit(): Promise<Result<void>>;
  /**
   * The release in the other slot, which ran before, starts next, on trial; the running one stays committed until then.
   * @param digest of its statement
   */
  rollBack(digest: Uint8Array): Promise<Result<void>>;
  /** Ends the trial of the running slot: the next start is the other one. @param reason a slug, kept */
  giveUp(reason: string): Promise<Result<void>>;
  /**
   * To the floor of the release that runs committed, once it has soaked and the other slot stands on that floor too (SR-08).
   * @param digest of its statement
   */
  raiseFloor(digest: Uint8Array): Promise<Result<void>>;
  status(): Promise<Result<SlotsReading>>;
}

export interface RunningSystem {
  /** Bytes of the slot that runs. @param lengthBytes at most 512 KiB. @param into as in `BlockDevice.read` */
  read(offsetBytes: number, lengthBytes: number, into?: Uint8Array): Promise<Result<Uint8Array>>;
  /** What the health gate of a trial is told of the hands. */
  health(): Promise<Result<readonly HealthReading[]>>;
}

export interface WriteOrder {
  readonly statement: Uint8Array;
  /** A slug: shown to whoever comes second. */
  readonly owner: string;
  /** A person asked for a release that failed before. */
  readonly isForced: boolean;
  /** That the statement is in the log of releases, as it was stapled. */
  readonly proof?: Uint8Array;
}

export interface WriteProgress {
  readonly slot: SlotName;
  /** Durable, from the first segment on. */
  readonly writtenSegments: number;
  readonly segments: number;
}

export interface WriteBegun extends WriteProgress {
  /** `write`: segments are wanted. `verified`: written and read back. `installed`: armed, or a fallback already. */
  readonly stage: 'write' | 'verified' | 'installed';
  /** From here on segments may lie on the medium that nobody wrote down, or that are not what was written. */
  readonly firstSegment: number;
  /** SHA-256 of each segment from there, as the medium has them now. */
  readonly digests: Uint8Array;
}

export type ArmOutcome = 'trial' | 'fallback';

export interface SlotsReading {
  readonly running: SlotName;
  /** As measured of this boot: 32 bytes. */
  readonly runningRoot: Uint8Array;
  readonly a: SlotReading;
  readonly b: SlotReading;
  /** Absent where the TPM does not say it. */
  readonly floorEpoch?: number;
  /** Why not, `category/reason`: then nothing is installed. */
  readonly floorFault?: string;
  /** Room in the slot that does not run. */
  readonly slotBytes: number;
}

export interface SlotReading {
  /** A slug of the table of slots. */
  readonly state: string;
  readonly release?: ReleaseReading;
  readonly writtenSegments: number;
  readonly triesLeft: number;
  /** Why it failed. */
  readonly reason?: string;
  readonly mismatches: number;
  /** Why its release was written without proof from the log; empty with proof, absent where none was asked. */
  readonly log?: string;
}

export interface ReleaseReading {
  /** SHA-256 of the statement. */
  readonly digest: Uint8Array;
  readonly counter: number;
  readonly floorEpoch: number;
  readonly imageBytes: number;
  readonly verityRoot: Uint8Array;
}

export interface HealthReading {
  /** A slug. */
  readonly name: string;
  readonly hasPassed: boolean;
}
