/** The other side of a door that is reached by request and answer, over any `Exchange`. */

import { decodeMessage, encodeGiven } from '#hal/core/message';
import { deny, faultFrom, type Result } from '#hal/core/result';
import type { Exchange } from '#hal/ports/exchange';
import type { CallOptions, Client, Methods } from '#hal/remote/methods';
import type { MessageName } from '#protos/edge';
import type { Messages } from '#protos/gen/types';

/** @returns `call` alone: there are no streams over an exchange */
export const exchangeClient = <M extends Methods>(methods: M, exchange: Exchange, endpoint: string): Pick<Client<M>, 'call'> => ({
  call: (async (
    method: string,
    request: Messages[MessageName],
    { signal = new AbortController().signal, permit }: CallOptions = {},
  ) => {
    const spec = methods[method];
    if (spec === undefined) throw new TypeError(`no method ${method}`);
    const encoded = encodeGiven(spec.request, request);
    if (!encoded.ok) return encoded;
    const call = { id: 1, method, arguments: encoded.value, ...(permit === undefined ? {} : { permit }) };
    const body = encodeGiven('Frame', { call });
    if (!body.ok) return body;
    const answered = await exchange.post(endpoint, body.value, signal);
    return answered.ok ? readAnswer(spec.reply, answered.value) : answered;
  }) as Client<M>['call'],
});

const readAnswer = (reply: MessageName, bytes: Uint8Array): Result<Messages[MessageName]> => {
  const frame = decodeMessage('Frame', bytes);
  if (!frame.ok) return frame;
  const { reply: replied, refusal } = frame.value;
  if (replied !== undefined) return decodeMessage(reply, replied.value);
  if (refusal === undefined) return deny('protocol', 'malformed', 'neither reply nor refusal');
  const [category = '', reason = ''] = refusal.code.split('/');
  return { ok: false, fault: faultFrom(category, reason) };
};
