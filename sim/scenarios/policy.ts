/** Step 5: an administration's bundles reach the device: signed by two, announced through a broker that knows nothing, read back. */
import { toHex } from '#hal/core/bytes';
import { codeOf } from '#hal/core/result';
import type { AppManifest, ManagedList, PolicyBundle } from '#protos/gen/types';
import { keyKindOf } from '#sim/peers/authority';
import type { World } from '#sim/world/world';
import { faultOf, faultOfCode, textOf } from './outcome.ts';
import { refused, type Scenario, seen } from './scenario.ts';

/** The apps of the day: names, and digests of what they would be. */
export const apps: AppManifest['apps'] = [
  { app: 'messenger', digest: new Uint8Array(32).fill(1), user: 1001, confinement: 'sealed' },
  { app: 'camera-notes', digest: new Uint8Array(32).fill(2), user: 1002, confinement: 'sealed' },
];

/** What is wanted from now on: a higher version each time, so that a day on an existing device has its own. */
export const nextPolicy = async ({ device }: World): Promise<PolicyBundle> => ({
  version: (await versionOf(device, 'policy')) + 1,
  network: { mode: 'listed', allowedUsers: [1001], deniedUsers: [1002] },
  privacy: 'private',
});

export const versionOf = async (device: World['device'], kind: string): Promise<number> => {
  const managed = await device.app.call('managed.status', {});
  return managed.ok ? (managed.value.states.find((state) => state.kind === kind)?.version ?? 0) : 0;
};

export const policy: Scenario = {
  step: 'policy',
  title: 'Command publishes what two people signed; the device fetches, verifies, applies, reads back and reports',
  async run(world) {
    const { device, fleet, until } = world;
    const { command } = fleet;
    const handle = textOf((await device.enigmctl('attest', 'now', '--relying-party', 'command')).json, 'handle');
    await until('the device joined its fleet', () => command.report(handle) !== undefined, 20_000);

    const bundle = await nextPolicy(world);
    const alone = await command.publish('policy', bundle, command.approvers('policy').slice(0, 1));
    const manifest = { version: (await versionOf(device, 'apps')) + 1, apps };
    const configuration = { version: (await versionOf(device, 'configuration')) + 1, postureEverySeconds: 2 };
    for (const published of [
      await command.publish('policy', bundle),
      await command.publish('apps', manifest),
      await command.publish('configuration', configuration),
    ])
      if (!published.ok) return refused(published.fault);

    const announced = await command.announce('policy', bundle.version);
    if (!announced.ok) return refused(announced.fault);
    const reported = () => command.report(handle)?.managed.find(({ kind }) => kind === 'policy');
    await until('the device said what came of it', () => {
      const said = reported();
      return said !== undefined && (said.version === bundle.version || said.code !== undefined);
    });
    const said = reported();
    const fault = faultOf(await device.enigmctl('policy', 'status'));
    if (fault !== undefined) return refused(fault);
    if (said?.code !== undefined) return refused(faultOfCode(said.code));
    if (alone.ok) return refused({ category: 'integrity', reason: 'custodians-missing', detail: 'one approver was enough' });
    const managed = await device.app.call('managed.status', {});
    if (!managed.ok) return refused(managed.fault);
    return seen({
      byOneApprover: codeOf(alone.fault),
      inForce: inForce(managed.value),
      off: managed.value.switches
        .filter(({ isOn }) => !isOn)
        .map(({ name }) => name)
        .join(' '),
      reported: said?.holds === true ? 'holds, read back' : 'DOES NOT HOLD',
      digest: toHex(said?.digest ?? new Uint8Array()).slice(0, 16),
      connectionKey: await connectionKey(world, handle),
    });
  },
};

const inForce = ({ states }: ManagedList): string =>
  states.map(({ kind, version, holds }) => `${kind} ${version}${holds ? '' : ' NOT'}`).join(', ');

/** Where the key is by which the broker knows the device, as the device says, and what Command saw of it. */
const connectionKey = async ({ device, fleet, until }: World, handle: string): Promise<string> => {
  let where: string | undefined;
  await until('the device looked at the key of its connection', async () => {
    const measured = await device.app.call('posture.read', {});
    where = measured.ok ? measured.value.findings.find(({ id }) => id === 'link-key')?.value : undefined;
    return where !== undefined;
  });
  return `${where}, ${keyKindOf(fleet.command.linkKey(handle) ?? new Uint8Array()) ?? 'unknown'}`;
};
