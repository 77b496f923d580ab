/** The other side of a door on a unix socket. Connects when first used, and again after the far end restarted. */
import { connect, type Socket } from 'node:net';
import { decodeMessage, encodeGiven, encodeMessage } from '#hal/core/message';
import { releaseMemory } from '#hal/core/release-memory';
import { attemptAsync, deny, done, type Failure, faultFrom, ok, type Result } from '#hal/core/result';
import { FrameSplitter, writeFrame } from '#hal/remote/frames';
import type { CallOptions, Client, Methods } from '#hal/remote/methods';
import type { MessageName } from '#protos/edge';
import type { Messages } from '#protos/gen/types';

export interface SocketClient<M extends Methods> extends Client<M> {
  /** Connects, where it is not. @returns also `unavailable/program-down`: nobody listens, and nothing was asked */
  connect(): Promise<Result<void>>;
  close(): void;
}

interface ClientOptions {
  /** Called after each new connection; a restart of the far end shows as a second call. */
  readonly onConnect?: () => void;
}

const maxPending = 256;
/** Items of a stream that nobody has taken yet; one more ends the stream. */
const maxWaiting = 256;

export const socketClient = <M extends Methods>(methods: M, path: string, options: ClientOptions = {}): SocketClient<M> => {
  let connection: Promise<Result<Connection>> | undefined;

  const connected = (): Promise<Result<Connection>> => {
    connection ??= openConnection(path, () => {
      connection = undefined;
    }).then((result) => {
      if (result.ok) options.onConnect?.();
      else connection = undefined;
      return result;
    });
    return connection;
  };

  const begin = async (method: string, request: unknown, onAnswer: OnAnswer, call: CallOptions): Promise<Result<() => void>> => {
    const spec = methods[method];
    if (spec === undefined) throw new TypeError(`no method ${method}`);
    if (call.signal?.aborted) return deny('unavailable', 'aborted');
    const open = await connected();
    if (!open.ok) return open;
    const encoded = encodeGiven(spec.request, request as Messages[MessageName]);
    if (!encoded.ok) return encoded;
    const permit = call.permit === undefined ? {} : { permit: call.permit };
    const sent = open.value.send({ method, arguments: encoded.value, ...permit }, onAnswer);
    releaseMemory(encoded.value);
    return sent;
  };

  const replyOf = (method: string, answer: Answer): Result<Messages[MessageName]> =>
    answer.ok ? decodeMessage((methods[method] as Methods[string]).reply, answer.value) : answer;

  return {
    call: (async (method: string, request: unknown, call: CallOptions = {}) => {
      const { promise, resolve } = Promise.withResolvers<Result<Messages[MessageName]>>();
      const sent = await begin(method, request, (answer) => resolve(replyOf(method, answer)), call);
      if (!sent.ok) return sent;
      const cancel = () => {
        sent.value();
        resolve(deny('unavailable', 'aborted'));
      };
      call.signal?.addEventListener('abort', cancel, { once: true });
      const result = await promise;
      call.signal?.removeEventListener('abort', cancel);
      return result;
    }) as Client<M>['call'],

    subscribe: async function* (method: string, request: unknown, signal: AbortSignal) {
      const waiting: Result<Messages[MessageName]>[] = [];
      let wake = () => {};
      const push = (item: Result<Messages[MessageName]>) => {
        if (waiting.length < maxWaiting) waiting.push(item);
        else if (waiting.length === maxWaiting) waiting.push(deny('resource', 'queue-full', method));
        wake();
      };
      const sent = await begin(method, request, (answer) => push(replyOf(method, answer)), { signal });
      if (!sent.ok) {
        yield sent;
        return;
      }
      const onAbort = () => wake();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        while (!signal.aborted) {
          const item = waiting.shift();
          if (item === undefined)
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          else {
            yield item;
            if (!item.ok) return;
          }
        }
      } finally {
        signal.removeEventListener('abort', onAbort);
        sent.value();
      }
    } as unknown as Client<M>['subscribe'],

    connect: async () => {
      const open = await connected();
      return open.ok ? done : open;
    },

    close: () => {
      void connection?.then((result) => result.ok && result.value.close());
      connection = undefined;
    },
  };
};

type Answer = Result<Uint8Array>;
type OnAnswer = (answer: Answer) => void;

interface Connection {
  /** @returns a function that gives the call up */
  send(call: Omit<Messages['Call'], 'id'>, onAnswer: OnAnswer): Result<() => void>;
  close(): void;
}

const openConnection = async (path: string, onLost: () => void): Promise<Result<Connection>> => {
  const opened = await attemptAsync(
    () =>
      new Promise<Socket>((resolve, reject) => {
        const socket = connect({ path });
        socket.once('connect', () => resolve(socket));
        socket.once('error', reject);
      }),
    (cause) => deny('unavailable', 'program-down', cause),
  );
  if (!opened.ok) return opened;
  const socket = opened.value;
  const pending = new Map<number, OnAnswer>();
  const splitter = new FrameSplitter();
  let lastId = 0;

  const lost = (failure: Failure) => {
    onLost();
    const waiting = [...pending.values()];
    pending.clear();
    for (const answer of waiting) answer(failure);
  };
  socket.removeAllListeners('error');
  socket.on('error', () => socket.destroy());
  socket.on('close', () => lost(deny('unavailable', 'program-down', 'connection lost')));
  socket.on('data', (chunk) => {
    const frames = splitter.push(chunk);
    if (!frames.ok) return void socket.destroy();
    for (const bytes of frames.value) {
      const decoded = decodeMessage('Frame', bytes);
      if (!decoded.ok) return void socket.destroy();
      const { reply, refusal } = decoded.value;
      if (reply !== undefined) {
        const answer = pending.get(reply.id);
        if (!reply.more) pending.delete(reply.id);
        answer?.(ok(reply.value));
      } else if (refusal !== undefined) {
        const answer = pending.get(refusal.id);
        pending.delete(refusal.id);
        const [category = '', reason = ''] = refusal.code.split('/');
        answer?.({ ok: false, fault: faultFrom(category, reason) });
      }
    }
    return undefined;
  });

  return ok({
    send(call, onAnswer) {
      if (socket.destroyed) return deny('unavailable', 'program-down');
      if (pending.size >= maxPending) return deny('resource', 'queue-full');
      lastId = (lastId + 1) >>> 0;
      const id = lastId;
      const frame = encodeGiven('Frame', { call: { id, ...call } });
      if (!frame.ok) return frame;
      pending.set(id, onAnswer);
      writeFrame(socket, frame.value);
      return ok(() => {
        if (pending.delete(id) && !socket.destroyed) writeFrame(socket, encodeMessage('Frame', { cancel: { id } }));
      });
    },
    close: () => void socket.end(),
  });
};
