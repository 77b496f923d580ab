/** Errors of the disk of a machine that runs: a node is put before its disk, and taken away. */
import { deny, done, ok, type Result } from '#hal/core/result';
import { diskDevice } from './arguments.ts';
import { type DiskFault, faultyNode } from './disk-node.ts';
import type { Qmp } from './qmp.ts';

interface BlockInfo {
  readonly qdev?: string;
  readonly inserted?: { readonly 'node-name': string };
}

const place = `/machine/peripheral/${diskDevice}`;
const faultyName = 'faulty';

type SetFaults = (faults: readonly DiskFault[]) => Promise<Result<void>>;

/** @returns sets the faults that hold from then on, in place of those before; what QEMU refuses is `unavailable/not-supported` */
export const diskFaultSetter = (qmp: Qmp): SetFaults => {
  /** Name of the node that the machine had before; undefined while nothing is before it. */
  let sound: string | undefined;
  const attach = (name: string) => qmp.command('qom-set', { path: place, property: 'drive', value: name });
  const lift = async (): Promise<Result<unknown>> => {
    if (sound === undefined) return done;
    const lifted = await attach(sound);
    sound = undefined;
    return lifted.ok ? qmp.command('blockdev-del', { 'node-name': faultyName }) : lifted;
  };
  return async (faults) => {
    const lifted = await lift();
    if (!lifted.ok || faults.length === 0) return lifted.ok ? done : lifted;
    const node = await nodeOfDisk(qmp);
    if (!node.ok) return node;
    const added = await qmp.command('blockdev-add', { ...faultyNode(node.value, faults), 'node-name': faultyName });
    if (!added.ok) return added;
    sound = node.value;
    const attached = await attach(faultyName);
    return attached.ok ? done : attached;
  };
};

const nodeOfDisk = async (qmp: Qmp): Promise<Result<string>> => {
  const blocks = await qmp.command('query-block');
  if (!blocks.ok) return blocks;
  const disk = (blocks.value as readonly BlockInfo[]).find(
    ({ qdev = '' }) => qdev === diskDevice || qdev.startsWith(`${place}/`),
  );
  const name = disk?.inserted?.['node-name'];
  return name === undefined ? deny('unavailable', 'not-supported', 'no disk') : ok(name);
};
