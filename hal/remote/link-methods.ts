/** The mouth's door to the mind: opaque bytes to and from far ends, and how that went so far. */
import type { Methods } from '#hal/remote/methods';

export const linkMethods = {
  'link.post': { request: 'ExchangeRequest', reply: 'ExchangeReply' },
  'link.identity': { request: 'Nothing', reply: 'LinkIdentity' },
  'link.join': { request: 'FleetJoined', reply: 'Nothing' },
  'link.publish': { request: 'LinkMessage', reply: 'Nothing' },
  'link.messages': { request: 'Nothing', reply: 'LinkMessage', isStream: true },
  'link.range': { request: 'RangeRequest', reply: 'RangeReply' },
  'link.status': { request: 'Nothing', reply: 'LinkStatus' },
} as const satisfies Methods;

export type LinkMethods = typeof linkMethods;
