/** A machine that was started and provisioned once, kept as it stands when all of its programs answer. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import { certifyEndorsement, newAuthority } from '#sim/peers/authority';
import { makeDevice, writeSite } from './device.ts';
import { powerOn } from './machine.ts';
import { lonelySite } from './site.ts';
import { saveSnapshot } from './snapshot.ts';

export interface ProvisionedOptions {
  /** Folder of this build. */
  readonly project: string;
  /** Folder of the image. */
  readonly image: string;
  /** Where the machine lives meanwhile. */
  readonly folder: string;
  readonly clock: Clock;
  /** Behind its site: a script that whoever sits at the serial line may run. */
  readonly tool?: string;
}

const withinMs = 600_000;
const lines = [
  'until [ -e /run/enigm/start-ended ]; do sleep 1; done',
  'enigmctl provision --technician ada',
  // The door of the factory is gone in the next life of the hands; the mouth that finds them is another process too.
  'busybox pidof enigm-linkd > /run/mouth',
  'kill $(busybox pidof enigm-hald)',
  'until busybox pidof enigm-linkd | grep -vx "$(cat /run/mouth)"; do sleep 0.5; done',
  `until enigmctl --json status | grep -q '"lifecycle":"unenrolled"'; do sleep 1; done`,
  'sync',
] as const;

/** @returns nothing once the snapshot is there; or the faults of making, starting, asking and keeping it */
export const provisionedSnapshot = async (
  { project, image, folder, clock, tool }: ProvisionedOptions,
  snapshot: string,
  key: string,
): Promise<Result<void>> => {
  rmSync(folder, { recursive: true, force: true });
  const maker = await newAuthority('Enigm simulated TPM maker', 'p256', clock);
  const device = await makeDevice(folder, {
    ...{ image, addon: join(project, 'build/native/tpm-sim.node'), clock },
    certifyEndorsement: (endorsementPublic) => certifyEndorsement(maker, endorsementPublic, clock),
  });
  if (!device.ok) return device;
  writeSite(device.value, await lonelySite(clock), tool);
  const started = await powerOn(device.value, { clock });
  if (!started.ok) return started;
  await using machine = started.value;
  const shell = await machine.until(/\/ # /);
  if (!shell.ok) return shell;
  for (const line of lines) {
    const said = await machine.shell(line, withinMs);
    if (!said.ok) return said;
  }
  const saved = await saveSnapshot(machine, device.value, snapshot, key);
  rmSync(folder, { recursive: true, force: true });
  return saved;
};
