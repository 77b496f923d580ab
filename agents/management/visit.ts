/** The visit that provisioned this device, and each boot, as records of the mind's own log. */
import { createHash } from 'node:crypto';
import type { AuditLog } from '#agents/audit/log';
import { openReceipt } from '#agents/hands/receipt';
import { toHex } from '#hal/core/bytes';
import type { Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { IsRevoked } from '#hal/crypto/envelope';
import type { RemoteHands } from '#hal/remote/hands-client';
import type { StateKeeper } from './state.ts';

/** An administrator's record has all six fields of the mission: the technician is a pseudonym, the receipt the change reference. */
export const recordVisit = async (
  hands: RemoteHands,
  crypto: CryptoBackend,
  audit: AuditLog,
  isRevoked: IsRevoked,
): Promise<Result<unknown>> => {
  const receipt = await hands.receipt();
  if (!receipt.ok) return receipt;
  const opened = openReceipt(crypto, receipt.value.envelope, receipt.value.key, isRevoked);
  return audit.record({
    event: 'admin.provisioned',
    outcome: opened.ok ? 'done' : 'failed',
    action: 'provision-device',
    resource: 'device',
    changeReference: createHash('sha256').update(receipt.value.envelope).digest(),
    ...(opened.ok ? { actor: technicianId(opened.value.technician) } : { fault: opened.fault }),
  });
};

/** Once for each boot, however often the mind starts in it. */
export const recordBoot = async (bootId: Uint8Array, state: StateKeeper, audit: AuditLog): Promise<void> => {
  const boot = toHex(bootId);
  if (state.current().lastBootId === boot) return;
  await audit.record({ event: 'lifecycle.booted', outcome: 'done' });
  state.update({ lastBootId: boot });
};

const technicianId = (technician: string): Uint8Array =>
  createHash('sha256').update(`technician ${technician}`).digest().subarray(0, 16);
