/**
 * What the hands know of the contents of both slots, and how far a slot has been written: the journal of an install.
 *
 * Whether a slot may be started is not here but with the boot loader, so the two can never contradict each other; what
 * a slot *is* follows from both (`view.ts`).
 *
 * Value of a twin record: version(1) ‖ for slot a, then b: content(1) ‖ release(84) ‖ written segments(4) ‖
 * mismatches(1) ‖ reason, length(1) and text. Release: digest(32) ‖ counter(8) ‖ floor epoch(4) ‖ image bytes(8) ‖
 * verity root(32); zeros where there is none. Numbers are big-endian.
 */
import { concat, toHex, u8, u32be, u64be, utf8 } from '#hal/core/bytes';
import { malformed, parse, type Reader } from '#hal/core/reader';
import { deny, ok, type Result } from '#hal/core/result';
import { twinRecord } from '#hal/core/twin-record';
import type { BlockDevice } from '#hal/ports/block-device';
import type { SlotName } from '#hal/ports/slots';
import { kinds } from '#protos/kinds';

/** What of a signed release decides over slots. */
export interface ReleaseFacts {
  /** SHA-256 of the signed statement that names the release: 32 bytes. */
  readonly digest: Uint8Array;
  /** Rises with each release. */
  readonly counter: number;
  /** Which floor it stands on: 0 to 64 (SR-08). */
  readonly floorEpoch: number;
  readonly imageBytes: number;
  /** 32 bytes. */
  readonly verityRoot: Uint8Array;
}

export interface SlotEntry {
  readonly content: 'none' | 'writing' | 'verified' | 'failed';
  /** Absent exactly where `content` is `none`. */
  readonly release?: ReleaseFacts;
  /** Durable segments from the first on; only while `writing`. */
  readonly writtenSegments: number;
  /** How often the whole slot was read back and was not the image. */
  readonly mismatches: number;
  /** Why it failed: a slug, '' while it has not. */
  readonly reason: string;
}

export type Ledger = Readonly<Record<SlotName, SlotEntry>>;

export interface LedgerStore {
  /** @returns the ledger; an empty one where none was ever written or both copies are torn; or a fault of the device */
  read(): Promise<Result<Ledger>>;
  write(ledger: Ledger): Promise<Result<void>>;
}

export const emptyEntry: SlotEntry = { content: 'none', writtenSegments: 0, mismatches: 0, reason: '' };
const contents = ['none', 'writing', 'verified', 'failed'] as const;
const version = 1;
const maxReasonBytes = 64;
const noRelease: ReleaseFacts = {
  digest: new Uint8Array(32),
  counter: 0,
  floorEpoch: 0,
  imageBytes: 0,
  verityRoot: new Uint8Array(32),
};

/** @param device two blocks of its own */
export const ledgerStore = (device: BlockDevice): LedgerStore => {
  const record = twinRecord(device, 'ENIGMLG1');
  return {
    async read() {
      const bytes = await record.read();
      if (!bytes.ok) return bytes;
      return bytes.value === undefined ? ok({ a: emptyEntry, b: emptyEntry }) : decodeLedger(bytes.value);
    },
    write: (ledger) => record.write(concat(u8(version), encodeEntry(ledger.a), encodeEntry(ledger.b))),
  };
};

export const isSameRelease = (one: ReleaseFacts | undefined, other: ReleaseFacts | undefined): boolean =>
  one !== undefined && other !== undefined && toHex(encodeRelease(one)) === toHex(encodeRelease(other));

/** Up to where it fits, and still a slug: a cut may leave its dash behind. */
const shortened = (reason: string): string => reason.slice(0, maxReasonBytes).replace(/-$/, '');

const encodeEntry = ({ content, release, writtenSegments, mismatches, reason }: SlotEntry): Uint8Array => {
  const text = utf8(shortened(reason));
  return concat(
    u8(contents.indexOf(content)),
    encodeRelease(release ?? noRelease),
    u32be(writtenSegments),
    u8(mismatches),
    u8(text.length),
    text,
  );
};

const encodeRelease = ({ digest, counter, floorEpoch, imageBytes, verityRoot }: ReleaseFacts): Uint8Array =>
  concat(digest, u64be(counter), u32be(floorEpoch), u64be(imageBytes), verityRoot);

const decodeLedger = (bytes: Uint8Array): Result<Ledger> =>
  parse(
    bytes,
    (reader) => {
      if (reader.u8() !== version) malformed('version');
      return { a: readEntry(reader), b: readEntry(reader) };
    },
    (why) => deny('unavailable', 'storage-failed', `ledger: ${why}`),
  );

const readEntry = (reader: Reader): SlotEntry => {
  const content = contents[reader.u8()] ?? malformed('content');
  const release = readRelease(reader);
  const writtenSegments = reader.u32be();
  const mismatches = reader.u8();
  const reason = Buffer.from(reader.take(reader.u8())).toString('utf8');
  // The hands tell others all of it, and their messages take a slug and nothing else.
  if (reason !== '' && !kinds.slug.pattern.test(reason)) malformed('reason');
  const entry = { content, writtenSegments, mismatches, reason };
  return content === 'none' ? entry : { ...entry, release };
};

const readRelease = (reader: Reader): ReleaseFacts => ({
  digest: reader.take(32),
  counter: readNumber(reader),
  floorEpoch: reader.u32be(),
  imageBytes: readNumber(reader),
  verityRoot: reader.take(32),
});

const readNumber = (reader: Reader): number => {
  const value = Number(reader.u64be());
  return Number.isSafeInteger(value) ? value : malformed('number');
};
