/** enigmctl policy, app, net: what an administration wants of this device, and what is in force by read-back. */
import type { Command } from 'commander';
import { toHex } from '#hal/core/bytes';
import { faultFrom } from '#hal/core/result';
import type { ManagedList, ManagedState } from '#protos/gen/types';
import { carriedRepository } from '../carried-repository.ts';
import { answer } from '../console.ts';
import type { Run } from '../context.ts';
import { withDevice } from '../device.ts';
import { exitCodes } from '../exit-codes.ts';

export const managedCommands = (program: Command, run: Run): void => {
  const policy = program.command('policy').description('bundles of the administration: what is in force, what is newer');
  policy
    .command('status', { isDefault: true })
    .description('what is in force, read back now')
    .action(
      run(({ console, runDirectory }) =>
        withDevice(runDirectory, async (device) => answer(console, await device.call('managed.status', {}), shown)),
      ),
    );
  policy
    .command('diff')
    .description('what is in force and what does not hold, with the reason')
    .action(
      run(({ console, runDirectory }) =>
        withDevice(runDirectory, async (device) =>
          answer(console, await device.call('managed.status', {}), ({ states }) => {
            const differing = states.filter(({ holds, code }) => !holds || code !== undefined);
            const text = differing.length === 0 ? 'what is wanted is in force' : differing.map(line).join('\n');
            return { text, json: { differing: differing.map(stateJson) } };
          }),
        ),
      ),
    );
  policy
    .command('apply')
    .description('fetch the newest bundles now, verify and apply them')
    .option('--from <folder>', 'a copy of the repository, where the device reaches none')
    .action(
      run(({ console, runDirectory }, { from }: { readonly from?: string }) => {
        const carried = from === undefined ? undefined : carriedRepository(from);
        if (carried?.ok === false) return console.refuse(carried.fault);
        return withDevice(runDirectory, async (device) => {
          console.say(carried === undefined ? 'fetching and verifying …' : 'verifying …');
          const updated =
            carried === undefined ? await device.call('managed.update', {}) : await device.call('managed.import', carried.value);
          return answer(console, updated, shown);
        });
      }),
    );
  program
    .command('app')
    .description('apps that the administration allows')
    .command('start')
    .argument('<app>', 'its name in the manifest')
    .description('start an app; a person must be signed in')
    .action(
      run(({ console, runDirectory }, app: string) =>
        withDevice(runDirectory, async (device) => {
          const started = await device.call('apps.start', { app });
          if (!started.ok) return console.refuse(started.fault);
          const [category = '', reason = ''] = started.value.code.split('/');
          if (!started.value.isAllowed) return console.refuse(faultFrom(category, reason));
          console.print(`${app} was started`, { app });
          return exitCodes.done;
        }),
      ),
    );
  program
    .command('net')
    .description('what may pass between this device and the network')
    .command('status', { isDefault: true })
    .description('the digest of the rules in force, read back now, and what they dropped')
    .action(
      run(({ console, runDirectory }) =>
        withDevice(runDirectory, async (device) =>
          answer(console, await device.call('managed.status', {}), ({ network }) => ({
            text:
              network === undefined
                ? 'no network policy is in force'
                : `rules ${toHex(network.digest).slice(0, 16)} in force; dropped ${network.droppedIn} in, ${network.droppedOut} out`,
            json: network === undefined ? {} : { ...network, digest: toHex(network.digest) },
          })),
        ),
      ),
    );
};

const line = ({ kind, version, holds, code }: ManagedState): string =>
  `${kind} ${version === 0 ? 'none' : `version ${version}`}: ${holds ? 'in force' : 'NOT in force'}${code === undefined ? '' : ` (newer refused: ${code})`}`;

const stateJson = ({ digest, ...state }: ManagedState) => ({ ...state, digest: toHex(digest) });

const shown = ({ states, network, switches, apps }: ManagedList) => ({
  text: [
    ...(states.length === 0 ? ['nothing is managed'] : states.map(line)),
    ...(switches.length === 0
      ? []
      : [
          `off: ${
            switches
              .filter(({ isOn }) => !isOn)
              .map(({ name }) => name)
              .join(', ') || 'nothing'
          }`,
        ]),
    ...(apps === undefined ? [] : [`running: ${apps.running.join(', ') || 'nothing'}`]),
  ].join('\n'),
  json: {
    states: states.map(stateJson),
    switches: Object.fromEntries(switches.map(({ name, isOn }) => [name, isOn])),
    ...(network === undefined ? {} : { network: { ...network, digest: toHex(network.digest) } }),
    ...(apps === undefined ? {} : { apps: { ...apps, digest: toHex(apps.digest) } }),
  },
});
