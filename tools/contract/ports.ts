/** The ports that somebody else's module may implement, by the name of the export that `npm run contract` looks for. */
import { blockDeviceClauses, contractDeviceBytes } from '#hal/contract/block-device';
import { bootControlClauses } from '#hal/contract/boot-control';
import type { Clause } from '#hal/contract/clause';
import { durableStoreClauses } from '#hal/contract/durable-store';
import { slotsClauses } from '#hal/contract/slots';

export interface ContractPort {
  readonly name: string;
  /** Name of the export: a function without parameters. */
  readonly exported: string;
  /** What that function promises, in words. */
  readonly gives: string;
  readonly clauses: readonly Clause<unknown>[];
}

const port = <Subject>(name: string, exported: string, gives: string, clauses: readonly Clause<Subject>[]): ContractPort => ({
  ...{ name, exported, gives },
  // Whether the subject is one is what the clauses find out.
  clauses: clauses.map(({ says, check }) => ({ says, check: (start) => check(start as () => Promise<Subject>) })),
});

export const contractPorts: readonly ContractPort[] = [
  port(
    'BootControl',
    'bootControl',
    'a machine as it leaves the factory, new each time: { control, restart() }, slot a good and running, slot b unbootable',
    bootControlClauses,
  ),
  port('Slots', 'slots', '{ distinct, swapped }: two slots on two media, and two names of one medium', slotsClauses),
  port(
    'BlockDevice',
    'blockDevice',
    `{ device, close() }: the same medium of ${contractDeviceBytes} bytes each time, zeroed before the first`,
    blockDeviceClauses,
  ),
  port('DurableStore', 'durableStore', 'a store: the same one each time, opened again', durableStoreClauses),
];
