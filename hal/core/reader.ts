/**
 * A bounded reader for binary structures.
 *
 * Inside a parser a short or oversized field throws `Malformed`; `parse` turns exactly that into a value, so that no
 * input can crash a process and no other error is hidden.
 */
import type { Result } from '#hal/core/result';
import { type Failure, ok } from '#hal/core/result';

class Malformed extends Error {}

/** Refuse the input being parsed; only for use inside `parse`. */
export const malformed = (why: string): never => {
  throw new Malformed(why);
};

/** Run a parser over the whole of `bytes`; what is left over is refused too. */
export const parse = <T>(bytes: Uint8Array, read: (reader: Reader) => T, refuse: (why: string) => Failure): Result<T> => {
  try {
    const reader = new Reader(bytes);
    const value = read(reader);
    reader.end();
    return ok(value);
  } catch (error) {
    if (error instanceof Malformed) return refuse(error.message);
    throw error;
  }
};

export class Reader {
  offset = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  /** A view of the next `count` bytes, not a copy. */
  take(count: number): Uint8Array {
    const start = this.advance(count);
    return this.bytes.subarray(start, start + count);
  }

  /** The next `count` bytes, which another parser must consume to the end. */
  nested<T>(count: number, read: (reader: Reader) => T): T {
    const inner = new Reader(this.take(count));
    const value = read(inner);
    inner.end();
    return value;
  }

  u8(): number {
    return this.view.getUint8(this.advance(1));
  }
  u16be(): number {
    return this.view.getUint16(this.advance(2), false);
  }
  u16le(): number {
    return this.view.getUint16(this.advance(2), true);
  }
  u32be(): number {
    return this.view.getUint32(this.advance(4), false);
  }
  u32le(): number {
    return this.view.getUint32(this.advance(4), true);
  }
  u64be(): bigint {
    return this.view.getBigUint64(this.advance(8), false);
  }
  u64le(): bigint {
    return this.view.getBigUint64(this.advance(8), true);
  }

  end(): void {
    if (this.remaining !== 0) malformed(`${this.remaining} bytes left over at ${this.offset}`);
  }

  private advance(count: number): number {
    if (count > this.remaining) malformed(`truncated at ${this.offset}: ${count} wanted, ${this.remaining} left`);
    const start = this.offset;
    this.offset += count;
    return start;
  }
}
