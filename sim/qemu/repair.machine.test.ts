/**
 * A machine that ran, of which no slot starts any more, and a repair release in the repository of its administration. What it
 * is made of, and what is published, are whole images; every boot here is a cold one.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import { partitionNamed } from '#sim/image/disk';
import { sectorBytes } from '#sim/image/gpt';
import { type BuildMachineImage, machineImages } from '#sim/levels/machine-images';
import { type FilesPeer, startFiles } from '#sim/peers/files';
import { flipBits } from '#sim/peers/mirror';
import { openReleases, type Releases } from '#sim/peers/releases';
import { openPeerSecrets } from '#sim/peers/secrets';
import { writeSite } from './device.ts';
import { equipSlots } from './equip.ts';
import { buildTestImage, clock, healthy, overwrite, started, type TestDevice, testDevice } from './machine.fixture.ts';
import { powerOn, type RunningMachine } from './machine.ts';
import { repositorySite } from './site.ts';

const limitMs = 1_800_000;
const withinMs = 900_000;

describe('a machine of which no slot starts', () => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-repair-'));
  let releases: Releases;
  let files: FilesPeer;
  let made: TestDevice;

  beforeAll(async () => {
    const peers = join(directory, 'peers');
    mkdirSync(peers, { mode: 0o700 });
    const secrets = await openPeerSecrets(peers, clock, systemRandom);
    const build: BuildMachineImage = (folder, more, floorEpoch) => buildTestImage(folder, [], more, floorEpoch);
    const images = machineImages(join(directory, 'images'), secrets, build, () => []);
    releases = unwrap(
      await openReleases({
        ...{ directory: peers, imageOf: images.imageOf, secrets, clock },
        areReferencesLive: () => true,
      }),
    );
    const repair = unwrap(await releases.build({ id: 'repair-2', class: 'repair', counter: 2, bases: [] }));
    unwrap(await releases.publish(repair));
    files = await startFiles({ directory: join(peers, 'repository'), secrets, clock });

    made = await testDevice(undefined, images.factory);
    unwrap(await equipSlots(made.device, releases.factory));
    writeSite(made.device, repositorySite(files.url, secrets, releases));
    {
      await using machine = await started(made.device, { limitMs });
      expect(await healthy(machine)).toBe('a');
    }
    // A boot image in the middle of its file, which the firmware refuses then.
    for (const name of ['esp-a', 'esp-b'] as const)
      await overwrite(made.device, partitionNamed(name).startSector * sectorBytes + 8 * 1024 * 1024, 4096);
  });
  afterAll(async () => {
    made[Symbol.dispose]();
    await files.close();
    releases.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const said = async (machine: RunningMachine, pattern: RegExp): Promise<string> =>
    unwrap(await machine.until(pattern, withinMs));

  test('stays in recovery and says why, where the mirror changed a bit of what it sends (SR-12, SR-33)', async () => {
    files.takePath(flipBits());
    await using machine = unwrap(await powerOn(made.device, { clock, limitMs }));
    const beganMs = clock.bootMs();
    await said(machine, /enigm recovery: no slot starts/);
    const startedMs = clock.bootMs();
    expect(await said(machine, /enigm recovery: nothing was repaired: (\S+)/)).toBe('integrity/segment-mismatch');
    console.log(`in recovery after ${startedMs - beganMs} ms, refused after ${clock.bootMs() - startedMs} ms more`);
    expect(machine.serial()).toContain('enigm recovery: slot a: committed, release 1');
    expect(machine.serial()).toContain('writing repair release 2 from segment 0 of');
    expect(machine.events().some(({ event }) => event === 'RESET')).toBe(false);
  });

  test('fetches the repair release, goes on where a power cut ended that, and starts it (SR-12)', async () => {
    files.takePath();
    {
      await using machine = unwrap(await powerOn(made.device, { clock, limitMs }));
      await said(machine, /enigm recovery: (\d+) of \d+ segments are written/);
      await machine.powerCut();
    }
    await using machine = unwrap(await powerOn(made.device, { clock, limitMs }));
    const goesOnAt = Number(await said(machine, /writing repair release 2 from segment (\d+)/));
    expect(goesOnAt).toBeGreaterThan(0);
    const beganMs = clock.bootMs();
    await said(machine, /enigm recovery: a repair is next to start/);
    console.log(`from segment ${goesOnAt} on written, read back and armed after ${clock.bootMs() - beganMs} ms`);
    expect(await healthy(machine)).toBe('b');
    console.log(`its programs answer ${clock.bootMs() - beganMs} ms after that began`);
    expect(unwrap(await machine.shell('cat /etc/enigm/release'))).toContain('id=repair-2');
    // Approved by the same key as what it repairs, so it opens the data that was there (SR-07).
    expect(unwrap(await machine.shell('cat /run/data'))).toBe('opened');
    // On trial: if it is not well, recovery is next again.
    expect(unwrap(await machine.shell('od -An -c /sys/firmware/efi/efivars/EnigmTrial-*'))).toMatch(/b\s+2/);
  });
});
