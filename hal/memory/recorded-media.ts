/**
 * Media of a machine that write down every operation of a life, and start from a snapshot. One life shows all the places
 * at which its power may be cut, and `power-states.ts` what each cut may leave; no life is lived again to get there.
 */
import { deny, done, ok, type Result } from '#hal/core/result';
import type { BlockPool } from '#hal/memory/block-pool';
import { type BlockDevice, isInside } from '#hal/ports/block-device';

/** Unit of snapshots; media are written in whole ones, and torn within them. */
export const cellBytes = 4096;

export interface MediaLayout {
  /** By name, their sizes: whole cells. */
  readonly media: Readonly<Record<string, number>>;
  /** Each a value of its own that changes as a whole and at once, as the bits of a TPM do or a variable of firmware. */
  readonly registers: readonly string[];
}

export interface MediaState {
  /** The content of each cell by its number in a pool: all media, then all registers. */
  readonly cells: Uint32Array;
  /** What no flush has made durable yet, oldest first: a program that was killed leaves it, the power does not. */
  readonly pending: readonly PendingWrite[];
}

export interface PendingWrite {
  readonly medium: string;
  readonly firstCell: number;
  readonly numbers: readonly number[];
}

export type Operation =
  | { readonly kind: 'write'; readonly write: PendingWrite }
  | { readonly kind: 'flush'; readonly medium: string }
  | { readonly kind: 'register'; readonly cell: number; readonly number: number };

export interface RecordedMedia {
  readonly operations: readonly Operation[];
  device(medium: string): BlockDevice;
  /** @returns its bytes; none before it was first written */
  readRegister(name: string): Uint8Array;
  writeRegister(name: string, bytes: Uint8Array): void;
  /** What reads see, as numbers: the state with all that is pending. */
  readonly seen: Uint32Array;
  /** First cell of a medium or register. */
  cellOf(name: string): number;
  /** Of this moment. */
  state(): MediaState;
}

/** @returns first cell of each medium and register, and how many cells there are */
export const cellsOf = ({
  media,
  registers,
}: MediaLayout): { readonly first: ReadonlyMap<string, number>; readonly count: number } => {
  const first = new Map<string, number>();
  let count = 0;
  for (const [name, sizeBytes] of Object.entries(media)) {
    first.set(name, count);
    count += Math.ceil(sizeBytes / cellBytes);
  }
  for (const name of registers) first.set(name, count++);
  return { first, count };
};

/** Nothing written anywhere: zeros on media. */
export const blankMedia = (layout: MediaLayout, pool: BlockPool): MediaState => {
  const { count } = cellsOf(layout);
  const cells = new Uint32Array(count);
  cells.fill(pool.numberOf(0, new Uint8Array(cellBytes)), 0, count - layout.registers.length);
  return { cells, pending: [] };
};

export const recordedMedia = (layout: MediaLayout, pool: BlockPool, from: MediaState): RecordedMedia => {
  const { first } = cellsOf(layout);
  const operations: Operation[] = [];
  const durable = from.cells.slice();
  const seen = from.cells.slice();
  for (const write of from.pending) seen.set(write.numbers, write.firstCell);
  let pending = [...from.pending];
  const cellOf = (name: string): number => {
    const cell = first.get(name);
    if (cell === undefined) throw new Error(`no medium or register ${name}`);
    return cell;
  };
  const device = (medium: string): BlockDevice => {
    const base = cellOf(medium);
    const sizeBytes = layout.media[medium] ?? 0;
    const outside = (offsetBytes: number, lengthBytes: number) =>
      deny('protocol', 'field-invalid', `${lengthBytes} bytes at ${offsetBytes} of ${sizeBytes}`);
    return {
      sizeBytes,
      async read(offsetBytes, lengthBytes): Promise<Result<Uint8Array>> {
        if (!isInside({ sizeBytes }, offsetBytes, lengthBytes)) return outside(offsetBytes, lengthBytes);
        const bytes = new Uint8Array(lengthBytes);
        for (let at = 0; at < lengthBytes; ) {
          const within = (offsetBytes + at) % cellBytes;
          const cell = pool.bytesOf(seen[base + Math.floor((offsetBytes + at) / cellBytes)] ?? 0);
          const part = cell.subarray(within, within + lengthBytes - at);
          bytes.set(part, at);
          at += part.length;
        }
        return ok(bytes);
      },
      async write(offsetBytes, bytes) {
        if (!isInside({ sizeBytes }, offsetBytes, bytes.length)) return outside(offsetBytes, bytes.length);
        if (offsetBytes % cellBytes !== 0 || bytes.length % cellBytes !== 0)
          throw new Error(`${bytes.length} bytes at ${offsetBytes} of ${medium} are not whole cells`);
        const firstCell = base + offsetBytes / cellBytes;
        const numbers: number[] = [];
        for (let at = 0; at < bytes.length; at += cellBytes)
          numbers.push(pool.numberOf(firstCell + numbers.length, bytes.subarray(at, at + cellBytes)));
        const write = { medium, firstCell, numbers };
        pending.push(write);
        seen.set(numbers, firstCell);
        operations.push({ kind: 'write', write });
        return done;
      },
      async flush() {
        for (const write of pending) if (write.medium === medium) durable.set(write.numbers, write.firstCell);
        pending = pending.filter((write) => write.medium !== medium);
        operations.push({ kind: 'flush', medium });
        return done;
      },
    };
  };
  return {
    operations,
    device,
    readRegister: (name) => pool.bytesOf(seen[cellOf(name)] ?? 0),
    writeRegister(name, bytes) {
      const cell = cellOf(name);
      const number = pool.numberOf(cell, bytes);
      durable[cell] = number;
      seen[cell] = number;
      operations.push({ kind: 'register', cell, number });
    },
    seen,
    cellOf,
    state: () => ({ cells: durable.slice(), pending: [...pending] }),
  };
};
