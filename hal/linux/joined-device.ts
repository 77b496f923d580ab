/** One `SlotDevice` out of parts of others, one behind the other: a slot that lies on several partitions. */
import { concat } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import { isInside } from '#hal/ports/block-device';
import type { SlotDevice } from '#hal/ports/slots';

export interface Piece {
  readonly device: SlotDevice;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

interface Place {
  readonly device: SlotDevice;
  readonly offsetBytes: number;
  /** Within what was asked for. */
  readonly from: number;
  readonly to: number;
}

/** Closes what it is made of. @param pieces in the order of their addresses */
export const joinedDevice = (pieces: readonly Piece[]): SlotDevice => {
  const sizeBytes = pieces.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  const devices = [...new Set(pieces.map(({ device }) => device))];
  const outside = (offsetBytes: number, lengthBytes: number) =>
    deny('protocol', 'field-invalid', `${lengthBytes} bytes at ${offsetBytes} of ${sizeBytes}`);

  /** What of a range lies on which device. */
  const placesOf = (offsetBytes: number, lengthBytes: number): readonly Place[] => {
    let start = 0;
    return pieces.flatMap(({ device, ...piece }) => {
      const first = Math.max(offsetBytes, start);
      const end = Math.min(offsetBytes + lengthBytes, start + piece.lengthBytes);
      const place = { device, offsetBytes: piece.offsetBytes + first - start, from: first - offsetBytes, to: end - offsetBytes };
      start += piece.lengthBytes;
      return end > first ? [place] : [];
    });
  };
  return {
    sizeBytes,
    deviceId: devices.map(({ deviceId }) => deviceId).join(' and '),
    async read(offsetBytes, lengthBytes, into) {
      if (!isInside({ sizeBytes }, offsetBytes, lengthBytes)) return outside(offsetBytes, lengthBytes);
      const parts: Uint8Array[] = [];
      for (const place of placesOf(offsetBytes, lengthBytes)) {
        const read = await place.device.read(place.offsetBytes, place.to - place.from, into?.subarray(place.from));
        if (!read.ok) return read;
        parts.push(read.value);
      }
      const [only, ...more] = parts;
      return ok(only !== undefined && more.length === 0 ? only : concat(...parts));
    },
    async write(offsetBytes, bytes) {
      if (!isInside({ sizeBytes }, offsetBytes, bytes.length)) return outside(offsetBytes, bytes.length);
      for (const place of placesOf(offsetBytes, bytes.length)) {
        const written = await place.device.write(place.offsetBytes, bytes.subarray(place.from, place.to));
        if (!written.ok) return written;
      }
      return done;
    },
    flush: () => firstFault(devices, (device) => device.flush()),
    async close() {
      for (const device of devices) await device.close();
    },
  };
};

/** All of them are asked, whatever one says. */
const firstFault = async (
  devices: readonly SlotDevice[],
  ask: (device: SlotDevice) => Promise<Result<void>>,
): Promise<Result<void>> => {
  let said: Result<void> = done;
  for (const device of devices) {
    const answer = await ask(device);
    if (said.ok) said = answer;
  }
  return said;
};
