/** What both back ends check themselves, so that they refuse the same inputs whatever the library beneath them does. */
import { toHex } from '#hal/core/bytes';

/** One's own secret, nonce or seed has exactly this size; any other is a programmer's error. */
export const requireBytes = (bytes: Uint8Array, size: number, what: string): void => {
  if (bytes.length !== size) throw new RangeError(`${what} has ${bytes.length} bytes instead of ${size}`);
};

/** Run a library call that reports somebody else's bad input by throwing. */
export const orRefuse = <T>(run: () => T): T | undefined => {
  try {
    return run();
  } catch {
    return undefined;
  }
};

/** FIPS 204 §5.2 (Algorithm 2, line 1): a context has at most 255 bytes. */
export const maxContextBytes = 255;

/** SEC 2 §2.4.2: the order n of P-256. */
const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** FIPS 186-5 §A.2.2: a private scalar lies in 1…n-1. OpenSSL imports any 32 bytes. */
export const isP256Secret = (secret: Uint8Array): boolean => {
  if (secret.length !== 32) return false;
  const scalar = BigInt(`0x${toHex(secret)}`);
  return scalar > 0n && scalar < p256Order;
};

/** SEC 1 §2.3.4, the uncompressed form only: one point, one encoding. OpenSSL also takes hybrid and compressed ones. */
export const isUncompressedPoint = (point: Uint8Array): boolean => point.length === 65 && point[0] === 0x04;

const fieldPrime = 2n ** 255n - 19n;

/** y of a point of order 8; the other y of that order is its negative. */
const orderEight = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;

/** y of the eight points whose order divides the cofactor: orders 4, 1, 2, 8 and 8. */
const smallOrder: ReadonlySet<bigint> = new Set([0n, 1n, fieldPrime - 1n, orderEight, fieldPrime - orderEight]);

/**
 * An encoding that an honest signer can have as key A or as R, as far as its y-coordinate shows.
 *
 * RFC 8032 §5.1.3 refuses y ≥ p, which OpenSSL reduces instead, and x = 0 with a sign (x = 0 occurs at small order
 * only). Small order is left open by the RFC and refused here: such a key verifies messages that nobody signed. Node
 * 24.21 refuses it as well, older ones did not; noble refuses it in A and takes it in R.
 */
export const isEd25519Point = (encoding: Uint8Array): boolean => {
  if (encoding.length !== 32) return false;
  const y = BigInt.asUintN(255, BigInt(`0x${toHex(encoding.toReversed())}`));
  return y < fieldPrime && !smallOrder.has(y);
};
