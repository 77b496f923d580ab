/** What the mouth carries on of what a broker sends. */
import { ok, type Success } from '#hal/core/result';
import type { Broker } from '#hal/ports/broker';
import { kinds } from '#protos/kinds';

const { least, most } = kinds.sealed;

/** A broker may send anything, retained or not: what the door to the mind has no room for is dropped here, and ends nothing. */
export const carried = async function* (
  broker: Pick<Broker, 'messages'>,
  signal: AbortSignal,
): AsyncIterable<Success<{ readonly sealed: Uint8Array }>> {
  for await (const { payload } of broker.messages(signal))
    if (payload.length >= least && payload.length <= most) yield ok({ sealed: payload });
};
