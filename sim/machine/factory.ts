/** What the factory puts into a machine before anybody owns it: its first release in slot a, and whose releases may follow. */
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ReleaseTrust, writeReleaseTrust } from '#agents/hands/release-trust';
import type { FactoryRelease } from '#agents/release/build';
import { type FloorApprovals, writeFloorApprovals } from '#hal/core/floor-approval';
import { attemptAsync, deny, type Result, unwrap } from '#hal/core/result';
import { twinRecordBytes } from '#hal/core/twin-record';
import { provisionSlots } from '#ota-client/slots/factory';
import { hashAreaOf } from '#sim/image/hash-area';
import type { SlotFiles } from './layout.ts';
import { openSlots } from './slots.ts';

export interface Factory {
  readonly release: FactoryRelease;
  readonly trust: ReleaseTrust;
  readonly floor: FloorApprovals;
  /** Size of each slot; 32 MiB unless said otherwise, more where the release needs it. */
  readonly slotBytes?: number;
}

const defaultSlotBytes = 32 * 1024 * 1024;
const mebibyte = 1024 * 1024;

/** May be repeated until it succeeds; what was in the slots is gone. @returns nothing, or `unavailable/storage-failed` */
export const equipSlots = (
  files: SlotFiles,
  { release, trust, floor, slotBytes = defaultSlotBytes }: Factory,
): Promise<Result<void>> =>
  attemptAsync(
    async () => {
      mkdirSync(dirname(files.a), { recursive: true, mode: 0o700 });
      const content = slotContent(release);
      const needed = Math.ceil((2 * content.image.length) / mebibyte) * mebibyte;
      for (const path of [files.a, files.b])
        sparseFile(path, Math.max(slotBytes, needed), path === files.a ? content : undefined);
      for (const path of [files.boot, files.ledger]) sparseFile(path, twinRecordBytes, undefined);
      writeFileSync(files.trust, writeReleaseTrust(trust), { mode: 0o600 });
      pinFactory(files, { release, floor });
      const slots = unwrap(await openSlots(files));
      try {
        unwrap(await provisionSlots(slots.boot, slots.ledger, release.facts));
      } finally {
        await slots.close();
      }
    },
    (cause) => deny('unavailable', 'storage-failed', cause),
  );

/** What the hands need of their factory beside its slots: also of a device that an earlier one made without it. */
export const pinFactory = (
  files: Pick<SlotFiles, 'floor' | 'statement'>,
  { release, floor }: Pick<Factory, 'release' | 'floor'>,
): void => {
  if (!existsSync(files.floor)) writeFileSync(files.floor, writeFloorApprovals(floor), { mode: 0o600 });
  if (!existsSync(files.statement)) writeFileSync(files.statement, release.statement, { mode: 0o600 });
};

interface SlotContent {
  readonly image: Uint8Array;
  readonly hashArea: Uint8Array;
}

const slotContent = ({ image, salt, uuid }: FactoryRelease): SlotContent => ({
  image,
  hashArea: hashAreaOf(image, { salt, uuid }).area,
});

const sparseFile = (path: string, sizeBytes: number, content: SlotContent | undefined): void => {
  const file = openSync(path, 'w', 0o600);
  try {
    for (const part of content === undefined ? [] : [content.image, content.hashArea])
      for (let written = 0; written < part.length; ) written += writeSync(file, part, written);
    ftruncateSync(file, sizeBytes);
  } finally {
    closeSync(file);
  }
};
