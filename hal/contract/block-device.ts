/** What every `BlockDevice` must do. */
import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import type { BlockDevice } from '#hal/ports/block-device';

export const contractDeviceBytes = 3 * 1024 * 1024 + 512;

/** @param open opens the same medium of `contractDeviceBytes` again and again, zeroed at first; `close` is a restart */
export const blockDeviceContract = (
  name: string,
  open: () => Promise<{ readonly device: BlockDevice; readonly close: () => Promise<void> }>,
): void => {
  describe(`BlockDevice: ${name}`, () => {
    const random = seededRandom(`block device ${name}`);

    test('knows its size', async () => {
      const { device, close } = await open();
      expect(device.sizeBytes).toBe(contractDeviceBytes);
      await close();
    });

    test('reads what was written before the flush, and after it, and after a restart', async () => {
      const first = await open();
      unwrap(await first.device.write(1000, utf8('written')));
      expect(Buffer.from(unwrap(await first.device.read(1000, 7))).toString()).toBe('written');
      unwrap(await first.device.flush());
      expect(Buffer.from(unwrap(await first.device.read(999, 9))).toString()).toBe('\0written\0');
      await first.close();
      const second = await open();
      expect(Buffer.from(unwrap(await second.device.read(1000, 7))).toString()).toBe('written');
      await second.close();
    });

    test('agrees with an array over writes and reads of any place and size', async () => {
      const { device, close } = await open();
      const model = unwrap(await device.read(0, contractDeviceBytes));
      const number = (below: number) => new DataView(random.bytes(4).buffer).getUint32(0) % below;
      for (let round = 0; round < 60; round += 1) {
        const isBlockwise = number(2) === 0;
        const unit = isBlockwise ? 4096 : 1;
        const offset = number(Math.floor(contractDeviceBytes / unit)) * unit;
        const length = Math.min(contractDeviceBytes - offset, (number((1 << 18) / unit) + 1) * unit);
        if (number(3) > 0) {
          const bytes = random.bytes(length);
          model.set(bytes, offset);
          unwrap(await device.write(offset, bytes));
          bytes.fill(0);
        } else expect(Buffer.compare(unwrap(await device.read(offset, length)), model.subarray(offset, offset + length))).toBe(0);
        if (number(5) === 0) unwrap(await device.flush());
      }
      unwrap(await device.flush());
      expect(Buffer.compare(unwrap(await device.read(0, contractDeviceBytes)), model)).toBe(0);
      await close();
    });

    test('takes one write that is larger than any of its buffers', async () => {
      const { device, close } = await open();
      const bytes = random.bytes(1024 * 1024 + 4096 + 17);
      unwrap(await device.write(4096, bytes));
      unwrap(await device.flush());
      expect(Buffer.compare(unwrap(await device.read(4096, bytes.length)), bytes)).toBe(0);
      await close();
    });

    test('serves its last byte and refuses the next', async () => {
      const { device, close } = await open();
      unwrap(await device.write(contractDeviceBytes - 1, Uint8Array.of(7)));
      unwrap(await device.flush());
      expect(unwrap(await device.read(contractDeviceBytes - 1, 1))).toEqual(Uint8Array.of(7));
      const refused = { ok: false, fault: { category: 'protocol', reason: 'field-invalid' } };
      for (const [offset, length] of [
        [contractDeviceBytes, 1],
        [-1, 1],
        [0.5, 1],
        [Number.MAX_SAFE_INTEGER, 1],
      ] as const) {
        expect(await device.read(offset, length)).toMatchObject(refused);
        expect(await device.write(offset, new Uint8Array(length))).toMatchObject(refused);
      }
      expect(await device.read(0, -1)).toMatchObject(refused);
      expect(unwrap(await device.read(contractDeviceBytes, 0)).length).toBe(0);
      await close();
    });
  });
};
