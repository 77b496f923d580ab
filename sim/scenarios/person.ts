/** The person of the day, as the Enigm App acts for them. */

import { ownParty } from '#agents/mind/trust';
import { assertionType, sessionType } from '#agents/session/statements';
import { fromHex } from '#hal/core/bytes';
import type { SessionFacts } from '#sim/peers/issuer';
import type { Device, World } from '#sim/world/world';
import { textOf } from './outcome.ts';

export const messaging = { action: 'open-secure-messaging', resource: 'messaging' } as const;

export const presentIdentity = ({ issuer, subject }: World, device: Device) =>
  device.app.call('session.present', { payloadType: assertionType, envelope: issuer.assertIdentity(subject) });

export const presentSession = (
  { issuer, subject, session }: World,
  device: Device,
  facts: Pick<SessionFacts, 'handle' | 'recovery' | 'state' | 'permission'>,
) =>
  device.app.call('session.present', { payloadType: sessionType, envelope: issuer.stateSession({ session, subject, ...facts }) });

/**
 * The pseudonym under which the account service knows the device: as the device holds it, else by attesting for it.
 * @throws where the device does not attest in time: one that has just started does not at once
 */
export const accountHandle = async (device: Device, until: World['until']): Promise<Uint8Array> => {
  const held = await device.app.call('handles.list', {});
  const own = held.ok ? held.value.entries.find(({ relyingParty }) => relyingParty === ownParty) : undefined;
  if (own !== undefined) return own.handle;
  let handle: Uint8Array = new Uint8Array();
  await until('the device attests for the account service', async () => {
    const { json } = await device.enigmctl('attest', 'now');
    handle = fromHex(textOf(json, 'handle')) ?? handle;
    return handle.length > 0;
  });
  return handle;
};

/** Signed in, with an open session on this device: also after a restart, which forgets both. */
export const signIn = async (world: World, device: Device): Promise<void> => {
  await presentIdentity(world, device);
  await presentSession(world, device, { handle: await accountHandle(device, world.until) });
};
