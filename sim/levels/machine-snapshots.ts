/** Keeps the machine of a level as it stands, by name, and goes back to how it stood. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deny, done, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Random } from '#hal/ports/random';
import { freePort } from '#sim/peers/free-port';
import { type QemuDevice, siteBytes, writeSite } from '#sim/qemu/device';
import { isSnapshotName } from '#sim/qemu/kept-snapshots';
import type { RunningMachine } from '#sim/qemu/machine';
import { goBack, goOn, hasSnapshot, saveSnapshot, snapshotKey } from '#sim/qemu/snapshot';
import type { SnapshotOrder, TakeOrder } from '#sim/qemu/snapshot-door';

export interface MachineSnapshotsOptions {
  /** Of all snapshots, each in a folder by its name. */
  readonly folder: string;
  /** Folder of the image that the machine grew from. */
  readonly image: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly limitMs: number;
  /** What runs, and where it is kept; undefined while it is off. */
  readonly running: () => { readonly machine: RunningMachine; readonly device: QemuDevice } | undefined;
  /** Nobody speaks any more to the machine that runs. */
  readonly leave: () => Promise<void>;
  /** This one runs from now on. @param pagePort where its page is, as it knows it */
  readonly enter: (machine: RunningMachine, pagePort: number) => Promise<void>;
  /** Starts it from its media. */
  readonly restart: () => Promise<void>;
  /** What it would be told now of its far ends. */
  readonly site: (pagePort: number) => string;
}

const restartWithinMs = 60_000;
const socketsOfPrograms = ['hald/hands', 'linkd/link', 'agentd/api'].map((name) => `/run/enigm/${name}.sock`).join(' ');
/** Its supervisor starts them again, and they read what the machine is told. Ends when those are there whom a command needs. */
const readSiteAgain = [
  'busybox blockdev --flushbufs /dev/vdb',
  `head -c ${siteBytes} /dev/vdb | tr -d '\\0' > /var/lib/enigm/site.json`,
  `rm -f ${socketsOfPrograms}`,
  'for id in $(busybox ps | grep -E " enigm-" | grep -v grep | while read -r id words; do echo $id; done); do kill $id; done',
  `for socket in ${socketsOfPrograms}; do until [ -S $socket ]; do sleep 0.1; done; done`,
].join('; ');

type Now = NonNullable<ReturnType<MachineSnapshotsOptions['running']>>;

export const machineSnapshots = (options: MachineSnapshotsOptions): TakeOrder => {
  const { folder, image, running, leave, enter, restart, site, ...waking } = options;

  /** It runs from now on; a machine that cannot go on is started anew, from the media that there are. */
  const runs = async (next: Result<RunningMachine>, device: QemuDevice): Promise<Result<void>> => {
    if (next.ok) await enter(next.value, pagePortOf(device));
    else await restart();
    return next.ok ? done : next;
  };
  const save = async (place: string, key: string, { machine, device }: Now): Promise<Result<void>> => {
    await leave();
    const saved = await saveSnapshot(machine, device, place, key);
    await machine.powerCut();
    // From what was kept, so that nothing is kept from which nobody can go on.
    return runs(saved.ok ? await goOn(place, device, waking) : saved, device);
  };
  const restore = async (place: string, key: string, { machine, device }: Now): Promise<Result<void>> => {
    if (!existsSync(place)) return deny('unavailable', 'not-found', 'no snapshot has this name');
    if (!hasSnapshot(place, key)) return deny('unavailable', 'not-supported', 'it is of another emulator or another image');
    await leave();
    await machine.powerCut();
    const back = await goBack(place, device, waking);
    const told = back.ok ? await tellOfFarEnds(back.value, device) : done;
    const runsOn = await runs(back, device);
    return runsOn.ok ? told : runsOn;
  };
  /** They may have been started again since, and answer elsewhere. */
  const tellOfFarEnds = async (machine: RunningMachine, device: QemuDevice): Promise<Result<void>> => {
    if (siteIn(device) === site(pagePortOf(device))) return done;
    writeSite(device, site(await freePort()));
    const answered = await machine.shell(readSiteAgain, restartWithinMs);
    return answered.ok ? done : answered;
  };
  const orders: Readonly<Record<SnapshotOrder, typeof save>> = { save, restore };

  return async (order, name): Promise<Result<void>> => {
    if (!isSnapshotName(name)) return deny('protocol', 'field-invalid', 'a name is a slug');
    const now = running();
    if (now === undefined) return deny('unavailable', 'link-down', 'the machine is off');
    const key = await snapshotKey(image, {});
    if (!key.ok) return key;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return orders[order](join(folder, name), key.value, now);
  };
};

const siteIn = ({ site }: QemuDevice): string => readFileSync(site).subarray(0, siteBytes).toString().replaceAll('\0', '');
const pagePortOf = (device: QemuDevice): number =>
  (JSON.parse(siteIn(device)) as { readonly page: { readonly port: number } }).page.port;
