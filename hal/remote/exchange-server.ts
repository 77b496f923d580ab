/** A door behind request and answer: the bytes of one call in, the bytes of its answer out. */
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { codeOf, deny } from '#hal/core/result';
import type { Dispatcher } from '#hal/remote/dispatcher';

export const answerExchange = async (dispatcher: Dispatcher, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> => {
  const frame = decodeMessage('Frame', body);
  const call = frame.ok ? frame.value.call : undefined;
  if (call === undefined) return refusal(codeOf((frame.ok ? deny('protocol', 'malformed') : frame).fault));
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  await dispatcher.dispatch(call, resolve, signal);
  return promise;
};

const refusal = (code: string): Uint8Array => encodeMessage('Frame', { refusal: { id: 1, code } });
