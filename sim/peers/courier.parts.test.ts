/** The courier against a sender that nobody can trust: whatever comes, the next parcel is taken (SR-11). */
import { once } from 'node:events';
import { request } from 'node:https';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeMessage } from '#hal/core/message';
import { linuxClock } from '#hal/linux/clock';
import { type Authority, newAuthority } from './authority.ts';
import { type CourierPeer, startCourier } from './courier.ts';

const clock = linuxClock();
let authority: Authority;
let courier: CourierPeer;

beforeAll(async () => {
  authority = await newAuthority('test TLS', 'ed25519', clock);
  courier = await startCourier({ contacts: [], secrets: { tlsAuthority: authority }, clock });
});
afterAll(() => courier.close());

const posting = (lengthBytes: number) => {
  const headers = { 'content-length': lengthBytes };
  return request(courier.url, { method: 'POST', ca: authority.certificate, agent: false, headers });
};
const statusOf = async (body: Uint8Array): Promise<number | undefined> => {
  const asking = posting(body.length).end(body);
  const [response] = await once(asking, 'response');
  response.resume();
  return response.statusCode;
};
const asked = encodeMessage('CourierRequest', { mailbox: new Uint8Array(16), after: 0 });

test('a request that is cut off in its body ends nothing', async () => {
  const rejected: unknown[] = [];
  const keep = (reason: unknown) => rejected.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', keep);
  const cut = posting(100).on('error', () => undefined);
  cut.write('the beginning', () => cut.destroy());
  await new Promise<void>((closed) => cut.once('close', () => closed()));
  expect(await statusOf(asked)).toBe(200);
  expect(rejected).toEqual([]);
  process.off('unhandledRejection', keep);
  for (const other of others) process.on('unhandledRejection', other);
});

test('what is no request is refused', async () => {
  expect(await statusOf(Uint8Array.of(0xff))).toBe(400);
});
