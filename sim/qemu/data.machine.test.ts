/** The data partition of the real machine: whose it is, and until when. */
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FloorApprovals } from '#hal/core/floor-approval';
import { unwrap } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import { openSimulatedEsys } from '#hal/native/esys-sim';
import { esysFloor } from '#hal/native/tpm-floor';
import { approveFloor, bootApprover, policyKeyIn } from '#sim/image/approval';
import type { BuiltImage } from '#sim/image/build';
import { bootFileSystem, partitionNamed, partitions } from '#sim/image/disk';
import { sectorBytes } from '#sim/image/gpt';
import { registersAtStart } from '#sim/image/references';
import { type Approver, type UkiParts, unifiedImage } from '#sim/image/uki';
import { startSwtpm } from '#sim/machine/swtpm';
import { openPeerSecrets } from '#sim/peers/secrets';
import { type QemuDevice, writeSite } from './device.ts';
import {
  buildTestImage,
  clock,
  overwrite,
  project,
  started,
  type TestDevice,
  testDevice,
  writePartition,
} from './machine.fixture.ts';
import type { RunningMachine } from './machine.ts';
import { siteOf } from './site.ts';

/** Written by the first start; what was made again would not have it. */
const kept = '/var/lib/enigm/kept';
const dataDevice = `/dev/vda${partitions.indexOf(partitionNamed('data')) + 1}`;
const slowMs = 240_000;
const bootImageAt = partitionNamed('esp-a').startSector * sectorBytes;
const stateLines = `cat /run/data; grep " /var/lib/enigm " /proc/mounts | cut -d" " -f1,3; cat ${kept} || true`;

/** One device, start after start: every one but the first finds what the first wrote, or stays closed and leaves it. */
describe('the data of a machine', () => {
  let image: BuiltImage;
  let made: TestDevice;
  const peers = mkdtempSync(join(tmpdir(), 'enigm-peers-'));
  beforeAll(async () => {
    image = await buildTestImage();
    made = await testDevice();
    // Nobody answers there.
    writeSite(made.device, siteOf('https://127.0.0.1:9', await openPeerSecrets(peers, clock, systemRandom)));
  });
  afterAll(() => {
    made?.[Symbol.dispose]();
    rmSync(peers, { recursive: true, force: true });
  });

  const stateOf = async (machine: RunningMachine): Promise<string> => {
    console.log(`a shell after ${machine.cpuSeconds().toFixed(1)} s of processor time`);
    return unwrap(await machine.shell(stateLines)).replaceAll('\n', ' ');
  };
  const isClosed = async (machine: RunningMachine): Promise<void> => {
    expect(await stateOf(machine)).toMatch(/^closed data tmpfs/);
    expect(machine.serial()).toContain('the data of this device stays closed');
  };
  const enigmctl = async (machine: RunningMachine, words: string): Promise<string> =>
    unwrap(await machine.shell(`node --no-warnings /usr/lib/enigm/enigmctl.cjs --json ${words} 2>&1`, slowMs));
  const approverOf = ({ approver }: UkiParts): Approver => approver ?? expect.unreachable('nobody approves');
  /** Into the boot partition of slot A, with the approval of the image that was there. */
  const writeBoot = async (parts: UkiParts, key: 'release' | 'recovery'): Promise<void> => {
    const { key: policyKey, approve } = approverOf(image.parts);
    const approver = { key: policyKey, approve: () => approve(image.uki.measured) };
    const { file } = unwrap(unifiedImage({ ...parts, approver }, image.keys[key]));
    await writePartition(made.device, bootImageAt, await bootFileSystem(file));
  };

  test('is made at the first start, and opens for nobody later in it, not for root (SR-07)', async () => {
    await using machine = await started(made.device);
    expect(await stateOf(machine)).toMatch(/^made \/dev\/mapper\/data ext4/);
    unwrap(await machine.shell(`echo of the first start > ${kept}; sync`));

    const { key, approve } = approverOf(image.parts);
    // The boot partition has it in clear.
    const put = (text: string, file: string) =>
      machine.shell(`printf '${text.trim().replaceAll('\n', '\\n')}' > /run/tpm2-pcr-${file}`);
    unwrap(await put(key, 'public-key.pem'));
    unwrap(await put(approve(image.uki.measured), 'signature.json'));
    const again = `node --no-warnings /usr/lib/enigm/unlock.cjs ${dataDevice}`;
    expect(unwrap(await machine.shell(again, slowMs))).toContain('closed');
    expect(machine.serial()).toMatch(/stays closed: .*PolicyAuthorize/);
  });

  test('stays closed with another TPM, is not made anew, and the programs say so (SR-07)', async () => {
    using other = await testDevice();
    const own = `${made.device.tpm}.own`;
    renameSync(made.device.tpm, own);
    cpSync(other.device.tpm, made.device.tpm, { recursive: true });
    {
      await using machine = await started(made.device);
      await isClosed(machine);
      unwrap(await machine.shell('until [ -S /run/enigm/factory.sock ] && [ -S /run/enigm/api.sock ]; do sleep 1; done', slowMs));
      unwrap(await machine.shell('until [ -e /run/enigm/start-ended ]; do sleep 1; done', slowMs));
      expect(await enigmctl(machine, 'status')).toContain('data-closed');
      expect(await enigmctl(machine, 'provision --technician ada')).toContain('data-closed');
    }
    rmSync(made.device.tpm, { recursive: true });
    renameSync(own, made.device.tpm);
  });

  test('stays closed for other words to the kernel, under a signature that the firmware takes (SR-07)', async () => {
    await writeBoot({ ...image.parts, commandLine: `${image.parts.commandLine} enigm.other=1` }, 'release');
    await using machine = await started(made.device);
    await isClosed(machine);
  });

  test('stays closed for what the recovery key starts, were it the very same image (SR-33)', async () => {
    await writeBoot(image.parts, 'recovery');
    await using machine = await started(made.device);
    await isClosed(machine);
  });

  test('opens in the other slot, and all of it is still there', async () => {
    await overwrite(made.device, bootImageAt + 8 * 1024 * 1024, 512);
    await using machine = await started(made.device);
    expect(unwrap(await machine.shell('cat /run/slot'))).toBe('b');
    expect(await stateOf(machine)).toBe('opened /dev/mapper/data ext4 of the first start');

    unwrap(await machine.shell('until [ -e /run/enigm/start-ended ]; do sleep 1; done', slowMs));
    // The refused image of slot A, which the firmware read and hashed, is part of it.
    console.log(`the supervisor counts the start as good after ${machine.cpuSeconds().toFixed(1)} s of processor time`);
  });

  test('stays closed for a release below the floor in the TPM, and opens for one that stands on it (SR-08)', async () => {
    const policyKey = policyKeyIn(join(project, 'build/image-keys'));
    await raiseFloor(made.device, approveFloor(policyKey, 1));
    {
      await using machine = await started(made.device);
      expect(machine.serial()).toMatch(/stays closed: PolicyNV/);
      // What ended its start is started again.
      unwrap(await machine.shell('until [ -e /run/enigm/start-ended ]; do sleep 1; done', slowMs));
      await isClosed(machine);
    }
    const { approve } = bootApprover(policyKey, (measured) => registersAtStart(measured, image.keys), 1);
    const approver = { ...approverOf(image.parts), approve: () => approve(image.uki.measured) };
    const { file } = unwrap(unifiedImage({ ...image.parts, approver }, image.keys.release));
    await writePartition(made.device, bootImageAt, await bootFileSystem(file));
    await using machine = await started(made.device);
    expect(await stateOf(machine)).toBe('opened /dev/mapper/data ext4 of the first start');
  });
});

/** By the approvals of a release that stands on it, in the TPM of a machine that is off. */
const raiseFloor = async (device: QemuDevice, approvals: FloorApprovals): Promise<void> => {
  const socketDirectory = join(device.folder, 'raise');
  await using swtpm = unwrap(await startSwtpm({ stateDirectory: device.tpm, socketDirectory, clock }));
  const tpm = { addon: join(project, 'build/native/tpm-sim.node'), swtpm: { path: swtpm.commandPath } };
  await using esys = unwrap(await openSimulatedEsys(tpm));
  await esys.startup(0);
  unwrap(await esysFloor(esys, approvals).raise(approvals.signatures.length - 1));
  await esys.shutdown([], 0);
};
