/** The real machine: firmware with Secure Boot, a TPM, our image. Every boot here is a cold one. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseEventLog } from '#attestation/eventlog/parse';
import { replayBank } from '#attestation/eventlog/replay';
import { openedPhase } from '#hal/core/boot-approval';
import { fromHex, toHex, utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import type { BuiltImage } from '#sim/image/build';
import { partitionNamed } from '#sim/image/disk';
import { sectorBytes } from '#sim/image/gpt';
import { registersAtStart } from '#sim/image/references';
import { afterMeasuring } from '#sim/image/uki';
import { buildTestImage, overwrite, started, testDevice } from './machine.fixture.ts';

describe('the image of a machine', () => {
  let image: BuiltImage;
  beforeAll(async () => {
    image = await buildTestImage();
  });

  test('is the same in another folder, byte for byte, signatures included', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'enigm-image-'));
    try {
      const again = await buildTestImage(folder);
      expect(toHex(again.uki.pcr11)).toBe(toHex(image.uki.pcr11));
      const digests = (of: string) => (JSON.parse(readFileSync(join(of, 'image.json'), 'utf8')) as { digests: unknown }).digests;
      expect(digests(folder)).toEqual(digests(join(import.meta.dirname, '../../build/image')));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('starts measured under Secure Boot, in slot a, and the build knew what it would measure', async () => {
    using made = await testDevice();
    await using machine = await started(made.device);
    const said = async (line: string) => unwrap(await machine.shell(line));
    expect(await said('cat /run/slot')).toBe('a');
    expect(await said('od -An -tx1 /sys/firmware/efi/efivars/SecureBoot-*')).toMatch(/01$/);
    expect(await said('cat /sys/kernel/security/lockdown')).toContain('[integrity]');
    expect(await said('grep " / " /proc/mounts | tail -1')).toContain('/dev/mapper/root / erofs ro');
    const pcrs = await said('cd /sys/class/tpm/tpm0/pcr-sha256; for pcr in 0 1 2 3 4 5 6 7 9 11; do echo $pcr $(cat $pcr); done');
    const values = new Map(pcrs.split('\n').map((line) => [Number(line.split(' ')[0]), line.split(' ')[1]?.toLowerCase()]));
    const gone = afterMeasuring([...image.uki.measured, utf8(openedPhase)]);
    expect(values.get(11)).toBe(toHex(gone));
    expect(values.get(7)).toBe(toHex(registersAtStart(image.uki.measured, image.keys).get(7) ?? new Uint8Array()));

    const log = await said('od -An -v -tx1 /sys/kernel/security/tpm0/binary_bios_measurements | tr -d " \\n"');
    const replayed = replayBank(unwrap(parseEventLog(fromHex(log) ?? new Uint8Array())), 'sha256');
    // The firmware's log ends where the boot went on.
    values.set(11, toHex(image.uki.pcr11));
    for (const [pcr, value] of values) expect(toHex(replayed?.get(pcr) ?? new Uint8Array()), `PCR ${pcr}`).toBe(value);
  });

  test('whose boot image was changed is refused by the firmware, which starts the other slot', async () => {
    using made = await testDevice();
    const { startSector } = partitionNamed('esp-a');
    // In the middle of the file: the kernel, whatever the file system puts around it.
    await overwrite(made.device, startSector * sectorBytes + 8 * 1024 * 1024, 512);
    await using machine = await started(made.device);
    expect(machine.serial()).toContain('Access Denied');
    expect(unwrap(await machine.shell('cat /run/slot'))).toBe('b');
  });

  test('whose root file system was changed panics when that is read, is reset, and the next try is another slot', async () => {
    using made = await testDevice();
    const { startSector } = partitionNamed('root-a');
    // All of what a start reads first: superblock and the folders behind it.
    await overwrite(made.device, startSector * sectorBytes, 4096);
    await using machine = await started(made.device);
    expect(machine.events().some(({ event }) => event === 'RESET')).toBe(true);
    expect(unwrap(await machine.shell('cat /run/slot'))).toBe('b');
  });
});
