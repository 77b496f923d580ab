/** What an administration may change of the device: handlers of the hands, each change under a permit and read back. */
import { inTurn } from '#hal/core/in-turn';
import { encodeMessage } from '#hal/core/message';
import { done, ok, type Result } from '#hal/core/result';
import type { VersionFloor } from '#hal/core/version-floor';
import type { AppHost } from '#hal/ports/app-host';
import type { NetPolicy } from '#hal/ports/net-policy';
import type { Switches } from '#hal/ports/switches';
import type { HandsMethods } from '#hal/remote/hands-methods';
import type { Handlers } from '#hal/remote/methods';
import { switchHandlers } from '#hal/remote/switches-door';

export interface ManagedPorts {
  readonly network: NetPolicy;
  readonly switches: Switches;
  readonly apps: AppHost;
  readonly floor: VersionFloor;
}

type ManagedMethod = Extract<keyof HandsMethods, `network.${string}` | `switches.${string}` | `apps.${string}`>;

export const managedHandlers = ({
  network,
  switches,
  apps,
  floor,
}: ManagedPorts): Pick<Handlers<HandsMethods>, ManagedMethod> => {
  /** By app: as whom it runs. */
  let users: ReadonlyMap<string, number> = new Map();
  const turn = inTurn();
  /** The path of an app that is blocked. Without a network policy there is none to close, and its launch is stopped all the same. */
  const closePath = async (app: string, untilBootMs: number): Promise<Result<void>> => {
    const user = users.get(app);
    if (user === undefined) return done;
    const closed = await network.block(user, untilBootMs);
    return closed.ok || closed.fault.reason === 'missing' ? done : closed;
  };
  /** The floor rises to what is in force, not to what was tried: what fails to apply leaves the way back open. */
  const aboveFloor = <T>(kind: string, version: number, content: Uint8Array, apply: () => Promise<Result<T>>) =>
    turn(async (): Promise<Result<T>> => {
      const checked = floor.check(kind, version, content);
      if (!checked.ok) return checked;
      const applied = await apply();
      if (!applied.ok) return applied;
      const raised = floor.raise(kind, version, content);
      return raised.ok ? applied : raised;
    });
  return {
    'network.apply': ({ version, policy }) =>
      aboveFloor('network', version, encodeMessage('NetworkPolicy', policy), () => network.apply(policy)),
    'network.expected': async (policy) => ok({ digest: network.expected(policy) }),
    'network.read': async () => {
      const state = await network.read();
      return state.ok ? ok(state.value === undefined ? {} : { state: state.value }) : state;
    },
    ...switchHandlers(switches),
    'apps.allow': (manifest) =>
      aboveFloor('apps', manifest.version, encodeMessage('AppManifest', manifest), async () => {
        users = new Map(manifest.apps.map(({ app, user }) => [app, user]));
        const allowed = await apps.allow(manifest);
        if (!allowed.ok) return allowed;
        // Who was blocked before it was known as whom he runs.
        for (const { app, untilBootMs } of allowed.value.blocks) {
          const closed = await closePath(app, untilBootMs);
          if (!closed.ok) return closed;
        }
        return allowed;
      }),
    'apps.block': async ({ app, untilBootMs }) => {
      const blocked = await apps.block(app, untilBootMs);
      if (!blocked.ok) return blocked;
      const closed = await closePath(app, untilBootMs);
      return closed.ok ? blocked : closed;
    },
    'apps.start': async ({ app }) => {
      const started = await apps.start(app);
      return started.ok ? ok({}) : started;
    },
    'apps.read': () => apps.read(),
  };
};
