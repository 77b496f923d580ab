/** The mouth's door to the mind: opaque bytes to a far end, and how that went so far. */
import type { Methods } from '#hal/remote/methods';

export const linkMethods = {
  'link.post': { request: 'ExchangeRequest', reply: 'ExchangeReply' },
  'link.status': { request: 'Nothing', reply: 'LinkStatus' },
} as const satisfies Methods;

export type LinkMethods = typeof linkMethods;
