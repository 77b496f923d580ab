/** What an administration orders of the life of one device, verified: by two of its people, for this device alone. */
import { equalBytes } from '#hal/core/bytes';
import { decodeMessage } from '#hal/core/message';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type EnvelopeHeader, type IsRevoked, openEnvelope } from '#hal/crypto/envelope';
import { type HybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import type { LifecycleOrder } from '#protos/gen/types';

export const orderHeader: EnvelopeHeader = {
  suite: hybridSignatureSuites['enigm-ed25519-mldsa65'],
  audience: 'enigm-device',
  payloadType: 'lifecycle-order',
};

/** One person alone orders nothing. */
const signersNeeded = 2;

export interface Order extends LifecycleOrder {
  /** Who signed: the first 16 bytes of the id of one of the keys. */
  readonly signer: Uint8Array;
}

export interface OrderExpectation {
  /** Keys of administrators alone (SR-03). */
  readonly keys: readonly HybridPublicKey[];
  readonly isRevoked: IsRevoked;
  /** The device's own handle for Command. */
  readonly handle: Uint8Array;
}

/**
 * @param envelope a `LifecycleOrder` in the one envelope, signed by two with both algorithms
 * @returns the order; a fault of `openEnvelope`, or `handle/order-of-another-device`
 */
export const openOrder = (
  crypto: CryptoBackend,
  envelope: Uint8Array,
  { keys, isRevoked, handle }: OrderExpectation,
): Result<Order> => {
  const opened = openEnvelope(crypto, envelope, { ...orderHeader, keys, threshold: signersNeeded, isRevoked });
  if (!opened.ok) return opened;
  const order = decodeMessage('LifecycleOrder', opened.value.payload);
  if (!order.ok) return order;
  if (!equalBytes(order.value.handle, handle)) return deny('handle', 'order-of-another-device');
  return ok({ ...order.value, signer: (opened.value.signers[0] ?? new Uint8Array()).slice(0, 16) });
};
