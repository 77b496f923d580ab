/** A door as a table: which methods it has, and the messages that go in and come out. */

import type { Result } from '#hal/core/result';
import type { MessageName } from '#protos/edge';
import type { Messages } from '#protos/gen/types';

export interface MethodSpec {
  readonly request: MessageName;
  readonly reply: MessageName;
  /** Answered more than once, until one side ends it. */
  readonly isStream?: true;
  /** Needs a permit of SR-01. */
  readonly needsPermit?: true;
}

export type Methods = Readonly<Record<string, MethodSpec>>;

export type Request<M extends Methods, K extends keyof M> = Messages[M[K]['request']];
export type Reply<M extends Methods, K extends keyof M> = Messages[M[K]['reply']];

type StreamKeys<M extends Methods> = { [K in keyof M]: M[K] extends { readonly isStream: true } ? K : never }[keyof M];
export type UnaryMethod<M extends Methods> = Exclude<keyof M, StreamKeys<M>> & string;
export type StreamMethod<M extends Methods> = StreamKeys<M> & string;

/** The implementation of a door. A stream's handler yields its answers; its signal ends it. */
export type Handlers<M extends Methods> = {
  readonly [K in UnaryMethod<M>]: (request: Request<M, K>, signal: AbortSignal) => Promise<Result<Reply<M, K>>>;
} & {
  readonly [K in StreamMethod<M>]: (request: Request<M, K>, signal: AbortSignal) => AsyncIterable<Result<Reply<M, K>>>;
};

/** The other side of a door. */
export interface Client<M extends Methods> {
  call<K extends UnaryMethod<M>>(method: K, request: Request<M, K>, options?: CallOptions): Promise<Result<Reply<M, K>>>;
  /** Ends when the far end ends it, the signal aborts or the connection is lost (then the last item is a refusal). */
  subscribe<K extends StreamMethod<M>>(
    method: K,
    request: Request<M, K>,
    signal: AbortSignal,
  ): AsyncIterable<Result<Reply<M, K>>>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly permit?: Uint8Array;
}
