/** What every `BlockDevice` must do. */

import { seededRandom } from '#hal/memory/random';
import type { BlockDevice } from '#hal/ports/block-device';
import { type Clause, demand, granted, refused, same } from './clause.ts';

export const contractDeviceBytes = 3 * 1024 * 1024 + 512;

/** The same medium of `contractDeviceBytes`, opened again and again, zeroed before the first time. */
export interface OpenedDevice {
  readonly device: BlockDevice;
  /** A restart. */
  close(): Promise<void>;
}

const outside = 'protocol/field-invalid';

export const blockDeviceClauses: readonly Clause<OpenedDevice>[] = [
  {
    says: 'knows its size',
    async check(open) {
      const { device, close } = await open();
      same('sizeBytes', device.sizeBytes, contractDeviceBytes);
      await close();
    },
  },
  {
    says: 'reads what was written before the flush, and after it, and after a restart',
    async check(open) {
      const first = await open();
      const text = Buffer.from('written');
      await write(first.device, 1000, text);
      text.fill(0);
      same('what is read before the flush', await textAt(first.device, 1000, 7), 'written');
      await flush(first.device);
      same('what is read after the flush', await textAt(first.device, 999, 9), '\0written\0');
      const into = new Uint8Array(100).fill(1);
      const given = granted('a read into memory', await first.device.read(1000, 7, into));
      same('what is read into memory', Buffer.from(given).toString(), 'written');
      same('memory behind what is read', [...into.subarray(7)], Array(93).fill(1));
      await first.close();
      const second = await open();
      same('what is read after a restart', await textAt(second.device, 1000, 7), 'written');
      await second.close();
    },
  },
  {
    says: 'agrees with an array over writes and reads of any place and size',
    async check(open) {
      const random = seededRandom('places and sizes');
      const number = (below: number) => new DataView(random.bytes(4).buffer).getUint32(0) % below;
      const { device, close } = await open();
      const model = await read(device, 0, contractDeviceBytes);
      for (let round = 0; round < 60; round += 1) {
        const unit = number(2) === 0 ? 4096 : 1;
        const offset = number(Math.floor(contractDeviceBytes / unit)) * unit;
        const length = Math.min(contractDeviceBytes - offset, (number((1 << 18) / unit) + 1) * unit);
        if (number(3) > 0) {
          const bytes = random.bytes(length);
          model.set(bytes, offset);
          await write(device, offset, bytes);
          bytes.fill(0);
        } else holds(await read(device, offset, length), model.subarray(offset, offset + length), offset);
        if (number(5) === 0) await flush(device);
      }
      await flush(device);
      holds(await read(device, 0, contractDeviceBytes), model, 0);
      await close();
    },
  },
  {
    says: 'takes one write that is larger than any of its buffers',
    async check(open) {
      const { device, close } = await open();
      const bytes = seededRandom('one large write').bytes(1024 * 1024 + 4096 + 17);
      await write(device, 4096, bytes);
      await flush(device);
      holds(await read(device, 4096, bytes.length), bytes, 4096);
      await close();
    },
  },
  {
    says: 'serves its last byte and refuses the next',
    async check(open) {
      const { device, close } = await open();
      await write(device, contractDeviceBytes - 1, Uint8Array.of(7));
      await flush(device);
      same('the last byte', [...(await read(device, contractDeviceBytes - 1, 1))], [7]);
      for (const offset of [contractDeviceBytes, -1, 0.5, Number.MAX_SAFE_INTEGER]) {
        refused(`read(${offset}, 1)`, await device.read(offset, 1), outside);
        refused(`write(${offset}, one byte)`, await device.write(offset, new Uint8Array(1)), outside);
      }
      refused('read(0, -1)', await device.read(0, -1), outside);
      same('the length of nothing, read at the end', (await read(device, contractDeviceBytes, 0)).length, 0);
      await close();
    },
  },
];

const read = async (device: BlockDevice, offset: number, length: number): Promise<Uint8Array> =>
  granted(`read(${offset}, ${length})`, await device.read(offset, length));
const write = async (device: BlockDevice, offset: number, bytes: Uint8Array): Promise<void> =>
  granted(`write(${offset}, ${bytes.length} bytes)`, await device.write(offset, bytes));
const flush = async (device: BlockDevice): Promise<void> => granted('flush()', await device.flush());
const textAt = async (device: BlockDevice, offset: number, length: number): Promise<string> =>
  Buffer.from(await read(device, offset, length)).toString();

const holds = (seen: Uint8Array, wanted: Uint8Array, offset: number): void => {
  const differs = wanted.findIndex((byte, index) => seen[index] !== byte);
  demand(
    differs < 0 && seen.length === wanted.length,
    `byte ${offset + Math.max(differs, 0)} is not what was written there last; writes of any place and size have to stay`,
  );
};
