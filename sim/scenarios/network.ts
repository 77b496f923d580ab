/** Step 6: the policy becomes packet rules of the kernel, in a network of the device's own; a packet proves it. */
import { equalBytes } from '#hal/core/bytes';
import { codeOf, done, type Result } from '#hal/core/result';
import type { PolicyBundle } from '#protos/gen/types';
import type { World } from '#sim/world/world';
import { faultOf, faultOfCode } from './outcome.ts';
import { versionOf } from './policy.ts';
import { refused, type Scenario, seen } from './scenario.ts';

export const network: Scenario = {
  step: 'network',
  title: 'the policy is packet rules now: what it allows arrives, with the kill switch nothing does, others are left alone',
  async run(world) {
    const { device, network: found } = world;
    if (!found.ok) return seen({ skipped: codeOf(found.fault) });
    const witness = found.value;
    await witness.addForeignTable();
    const before = await device.app.call('managed.status', {});
    if (!before.ok) return refused(before.fault);

    const open = await apply(world, { mode: 'open', allowedUsers: [], deniedUsers: [] });
    if (!open.ok) return refused(open.fault);
    const arrives = await witness.packetArrives('open');
    const silent = await apply(world, { mode: 'silent', allowedUsers: [], deniedUsers: [] });
    if (!silent.ok) return refused(silent.fault);
    const isSilent = !(await witness.packetArrives('silent'));
    const after = await device.app.call('managed.status', {});
    if (!after.ok) return refused(after.fault);
    const carried = await openByHand(world);
    if (!carried.ok) return refused(carried.fault);
    const arrivesAgain = await witness.packetArrives('carried');
    const isForeignThere = await witness.hasForeignTable();
    const holds = after.value.states.find(({ kind }) => kind === 'policy')?.holds === true;
    if (!arrives || !isSilent || !holds || !arrivesAgain)
      return refused({
        category: 'integrity',
        reason: 'read-back',
        detail: JSON.stringify({ arrives, isSilent, holds, arrivesAgain }),
      });
    return seen({
      open: 'a packet arrives',
      killSwitch: 'no packet arrives',
      carriedPolicy: 'a packet arrives',
      dropped: after.value.network?.droppedOut ?? 0,
      rulesChanged: !equalBytes(
        before.value.network?.digest ?? new Uint8Array(),
        after.value.network?.digest ?? new Uint8Array(),
      ),
      readBack: 'equals the policy',
      foreignTables: isForeignThere ? 'untouched' : 'GONE',
    });
  },
};

/** A device that reaches nobody takes the next policy from whoever carries it there, and from nobody else's hand (SR-17). */
const openByHand = async ({ device, fleet }: World): Promise<Result<void>> => {
  const version = (await versionOf(device, 'policy')) + 1;
  const network = { mode: 'open', allowedUsers: [], deniedUsers: [] } as const;
  const published = await fleet.command.publish('policy', { version, network, privacy: 'private' });
  if (!published.ok) return published;
  const fault = faultOf(await device.enigmctl('policy', 'apply', '--from', fleet.files.directory));
  return fault === undefined ? done : { ok: false, fault };
};

/** Resolves when the device has it, or says why it does not take it. */
const apply = async ({ device, fleet, until }: World, wanted: PolicyBundle['network']): Promise<Result<void>> => {
  const version = (await versionOf(device, 'policy')) + 1;
  const published = await fleet.command.publish('policy', { version, network: wanted, privacy: 'private' });
  if (!published.ok) return published;
  const announced = await fleet.command.announce('policy', version);
  if (!announced.ok) return announced;
  let code: string | undefined;
  await until('the device has the next policy, or refuses it', async () => {
    const managed = await device.app.call('managed.status', {});
    const state = managed.ok ? managed.value.states.find(({ kind }) => kind === 'policy') : undefined;
    // A device that has it may reach nobody any more, and says so.
    code = state?.version === version ? undefined : state?.code;
    return state?.version === version || code !== undefined;
  });
  return code === undefined ? done : { ok: false, fault: faultOfCode(code) };
};
