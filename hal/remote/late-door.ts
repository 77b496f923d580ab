/** A door that opens before what is behind it is ready: until then every method refuses, with a reason. */
import type { Failure, Result } from '#hal/core/result';
import type { Handlers, Methods } from '#hal/remote/methods';

/** @param behind the handlers, or why there are none yet */
export const lateDoor = <M extends Methods>(methods: M, behind: () => Handlers<M> | Failure): Handlers<M> => {
  const handlers: Record<string, AnyUnary | AnyStream> = {};
  for (const [name, spec] of Object.entries(methods)) {
    const find = () => {
      const ready = behind();
      return 'fault' in ready ? (ready as Failure) : (ready as unknown as Record<string, AnyUnary | AnyStream>)[name];
    };
    handlers[name] = spec.isStream
      ? async function* (request, signal) {
          const handler = find();
          if (typeof handler === 'function') yield* (handler as AnyStream)(request, signal);
          else if (handler !== undefined) yield handler;
        }
      : async (request, signal) => {
          const handler = find();
          return typeof handler === 'function' ? (handler as AnyUnary)(request, signal) : (handler as Failure);
        };
  }
  return handlers as unknown as Handlers<M>;
};

type AnyUnary = (request: unknown, signal: AbortSignal) => Promise<Result<unknown>>;
type AnyStream = (request: unknown, signal: AbortSignal) => AsyncIterable<Result<unknown>>;
