/** Messages as values: the decode edge of `protos`, with refusals in our vocabulary. */

import { attempt, deny, ok, type Result } from '#hal/core/result';
import { decode, encode, type MessageName } from '#protos/edge';
import type { Messages } from '#protos/gen/types';

/** @returns the message, or `protocol/malformed`, `protocol/field-invalid` */
export const decodeMessage = <N extends MessageName>(name: N, bytes: Uint8Array): Result<Messages[N]> => {
  const decoded = decode(name, bytes);
  return decoded.ok ? ok(decoded.value) : deny('protocol', decoded.reason, decoded.detail);
};

/** @throws where `value` breaks its own schema, which is a programmer's error */
export const encodeMessage: <N extends MessageName>(name: N, value: Messages[N]) => Uint8Array = encode;

/** For a value that somebody else gave in part. @returns the bytes, or `protocol/field-invalid` */
export const encodeGiven = <N extends MessageName>(name: N, value: Messages[N]): Result<Uint8Array> =>
  attempt(
    () => encode(name, value),
    (cause) => deny('protocol', 'field-invalid', cause),
  );
