/** A medium in memory with a volatile write cache, which loses what it holds when the shared power is cut. */
import { deny, done, ok, type Result } from '#hal/core/result';
import { type Cut, memoryPower } from '#hal/memory/power';
import { type BlockDevice, isInside } from '#hal/ports/block-device';
import type { SlotDevice, SlotName, Slots } from '#hal/ports/slots';

export interface MemoryBlockDevice extends BlockDevice {
  /** A copy of what would be there after losing every unflushed write. */
  durable(): Uint8Array;
  /** Sets what is durable, as a factory does; spends no operation. */
  load(bytes: Uint8Array, offsetBytes?: number): void;
  /** The next flush is acknowledged and does nothing, as some drives do. */
  lieOnce(): void;
}

interface Pending {
  readonly offsetBytes: number;
  readonly bytes: Uint8Array;
}

/** Pieces of a torn write when the plan names no size. */
const defaultSectorBytes = 512;

export const memoryBlockDevice = (sizeBytes: number, power = memoryPower()): MemoryBlockDevice => {
  const medium = new Uint8Array(sizeBytes);
  /** What reads see: the medium under the unflushed writes. */
  const seen = new Uint8Array(sizeBytes);
  let pending: Pending[] = [];
  let isLying = false;
  const outside = (offsetBytes: number, lengthBytes: number) =>
    deny('protocol', 'field-invalid', `${lengthBytes} bytes at ${offsetBytes} of ${sizeBytes}`);
  const settle = () => {
    for (const { offsetBytes, bytes } of pending) medium.set(bytes, offsetBytes);
    pending = [];
  };
  power.onCut((cut) => {
    for (const write of pending) lose(medium, write, cut);
    pending = [];
    seen.set(medium);
  });
  return {
    sizeBytes,
    durable: () => medium.slice(),
    load(bytes, offsetBytes = 0) {
      medium.set(bytes, offsetBytes);
      seen.set(bytes, offsetBytes);
    },
    lieOnce() {
      isLying = true;
    },
    async read(offsetBytes, lengthBytes): Promise<Result<Uint8Array>> {
      if (!isInside({ sizeBytes }, offsetBytes, lengthBytes)) return outside(offsetBytes, lengthBytes);
      return power.off() ?? ok(seen.slice(offsetBytes, offsetBytes + lengthBytes));
    },
    async write(offsetBytes, bytes) {
      if (!isInside({ sizeBytes }, offsetBytes, bytes.length)) return outside(offsetBytes, bytes.length);
      const off = power.off();
      if (off !== undefined) return off;
      // Not `slice`: that of a Buffer is no copy.
      const write = { offsetBytes, bytes: new Uint8Array(bytes) };
      pending.push(write);
      seen.set(write.bytes, offsetBytes);
      return power.spend() ?? done;
    },
    async flush() {
      const failed = power.off() ?? power.spend();
      if (failed !== undefined) return failed;
      if (isLying) isLying = false;
      else settle();
      return done;
    },
  };
};

/** One unflushed write meets its fate. */
const lose = (medium: Uint8Array, { offsetBytes, bytes }: Pending, { fate, random, sectorBytes }: Cut): void => {
  if (fate === 'dropped') return;
  const size = fate === 'kept' ? bytes.length : (sectorBytes ?? defaultSectorBytes);
  const choices = fate === 'kept' ? Uint8Array.of(1) : random?.bytes(Math.ceil(bytes.length / size));
  for (let start = 0, piece = 0; start < bytes.length; start += size, piece += 1)
    if (((choices?.[piece] ?? 0) & 1) === 1) medium.set(bytes.subarray(start, start + size), offsetBytes + start);
};

/** Two media as slots; `deviceId` follows the medium, whatever it is called. */
export const memorySlots = (devices: Readonly<Record<SlotName, BlockDevice>>): Slots => ({
  async open(slot, _access): Promise<Result<SlotDevice>> {
    const device = devices[slot];
    return ok({
      sizeBytes: device.sizeBytes,
      deviceId: identityOf(device),
      read: (offsetBytes, lengthBytes) => device.read(offsetBytes, lengthBytes),
      write: (offsetBytes, bytes) => device.write(offsetBytes, bytes),
      flush: () => device.flush(),
      close: async () => undefined,
    });
  },
});

const identities = new WeakMap<BlockDevice, string>();
let nextIdentity = 1;
const identityOf = (device: BlockDevice): string => {
  const known = identities.get(device) ?? `memory-${nextIdentity++}`;
  identities.set(device, known);
  return known;
};
