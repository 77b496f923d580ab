/** What the factory writes once: slot a holds a release that is committed, slot b nothing. */
import type { BootRecordStore } from '#hal/core/boot-record';
import type { Result } from '#hal/core/result';
import { emptyEntry, type LedgerStore, type ReleaseFacts } from './ledger.ts';

/** The image and its hash tree are already in slot a. May be repeated until it succeeds. */
export const provisionSlots = async (
  boot: BootRecordStore,
  ledger: LedgerStore,
  release: ReleaseFacts,
): Promise<Result<void>> => {
  const written = await ledger.write({ a: { ...emptyEntry, content: 'verified', release }, b: emptyEntry });
  if (!written.ok) return written;
  return boot.write({
    preferred: 'a',
    slots: { a: { state: 'good', triesLeft: 0 }, b: { state: 'unbootable', triesLeft: 0 } },
  });
};
