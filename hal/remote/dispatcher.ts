/** One generic dispatcher: bytes of a call in, bytes of its answers out. Transports are in other files. */

import { decodeMessage, encodeMessage } from '#hal/core/message';
import { releaseMemory } from '#hal/core/release-memory';
import { causeOf, codeOf, deny, done, type Fault, type Result } from '#hal/core/result';
import type { Handlers, Methods } from '#hal/remote/methods';
import type { MessageName } from '#protos/edge';
import type { Messages } from '#protos/gen/types';

/** Checks a permit against the method and the exact bytes of the request. */
export type Guard = (method: string, argumentBytes: Uint8Array, permit: Uint8Array | undefined) => Result<void>;

export interface Dispatcher {
  /**
   * Answers one call through `send`, whatever its handler does: what that throws is `unavailable/program-failed` to whoever
   * called, and ends nothing.
   *
   * @returns once the last answer was sent, what was refused
   */
  dispatch(call: Messages['Call'], send: (frame: Uint8Array) => void, signal: AbortSignal): Promise<Result<void>>;
}

export interface DispatcherOptions {
  /** Required by a table with a method that needs a permit; without it such a method refuses. */
  readonly guard?: Guard;
  /** Told of every refusal, for the local log. */
  readonly onRefusal?: (method: string, fault: Fault) => void;
}

const noGuard: Guard = () => deny('authorization', 'permit-missing', 'no guard');

export const dispatcher = <M extends Methods>(methods: M, handlers: Handlers<M>, options: DispatcherOptions = {}): Dispatcher => {
  const { guard = noGuard, onRefusal } = options;

  const answer = async (
    call: Messages['Call'],
    send: (frame: Uint8Array) => void,
    signal: AbortSignal,
  ): Promise<Result<void>> => {
    const spec = Object.hasOwn(methods, call.method) ? methods[call.method] : undefined;
    if (spec === undefined) return deny('protocol', 'method-unknown', call.method);
    const request = decodeMessage(spec.request, call.arguments);
    if (!request.ok) return request;
    const permitted = spec.needsPermit ? guard(call.method, call.arguments, call.permit) : done;
    if (!permitted.ok) return permitted;
    const reply = (value: Messages[MessageName], more: boolean) => {
      const encoded = encodeMessage(spec.reply, value);
      const frame = encodeMessage('Frame', { reply: { id: call.id, value: encoded, more } });
      releaseMemory(encoded);
      send(frame);
    };
    const handler = handlers[call.method as keyof Handlers<M>] as unknown as AnyHandler;
    if (spec.isStream) {
      for await (const item of (handler as AnyStream)(request.value, signal)) {
        if (!item.ok) return item;
        reply(item.value, true);
        if (signal.aborted) break;
      }
      return deny('unavailable', 'aborted', 'end of stream');
    }
    const result = await (handler as AnyUnary)(request.value, signal);
    if (result.ok) reply(result.value, false);
    return result.ok ? done : result;
  };

  return {
    async dispatch(call, send, signal) {
      const result = await answer(call, send, signal).catch((error: unknown) =>
        deny('unavailable', 'program-failed', causeOf(error)),
      );
      if (result.ok) return result;
      onRefusal?.(call.method, result.fault);
      send(encodeMessage('Frame', { refusal: { id: call.id, code: codeOf(result.fault) } }));
      return result;
    },
  };
};

type AnyMessage = Messages[MessageName];
type AnyUnary = (request: AnyMessage, signal: AbortSignal) => Promise<Result<AnyMessage>>;
type AnyStream = (request: AnyMessage, signal: AbortSignal) => AsyncIterable<Result<AnyMessage>>;
type AnyHandler = AnyUnary | AnyStream;
