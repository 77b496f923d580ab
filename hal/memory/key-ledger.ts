/** A ledger of keys that never were rotated or revoked, and never are. */
import { deny, ok } from '#hal/core/result';
import type { KeyLedger } from '#hal/ports/key-ledger';

const notHere = () => deny('unavailable', 'not-supported', 'a ledger of keys');

export const emptyKeyLedger: KeyLedger = {
  read: () => ok({ epochs: [], revoked: [] }),
  rotate: async () => notHere(),
  revoke: notHere,
};
