/** Frames on a byte stream: a 32-bit big-endian length, then that many bytes of `Frame`. */
import type { Socket } from 'node:net';
import { concat, u32be } from '#hal/core/bytes';
import { releaseMemory } from '#hal/core/release-memory';
import { deny, ok, type Result } from '#hal/core/result';

/** Evidence with a boot log inside is the largest message. */
export const maxFrameBytes = 4 * 1024 * 1024;

export const frame = (bytes: Uint8Array): Uint8Array => concat(u32be(bytes.length), bytes);

/** Length and bytes in one system call, without both in one more buffer. @param bytes nobody else's: given back when they are sent */
export const writeFrame = (socket: Pick<Socket, 'cork' | 'uncork' | 'write'>, bytes: Uint8Array): void => {
  socket.cork();
  socket.write(u32be(bytes.length));
  socket.write(bytes, () => releaseMemory(bytes));
  socket.uncork();
};

interface Unfinished {
  readonly bytes: Uint8Array;
  filled: number;
}

/**
 * Cuts a stream into frames; keeps what is not complete, never more than one frame. Each frame has memory of its own, so
 * that whoever is done with a large one may give it back.
 */
export class FrameSplitter {
  private readonly header = new Uint8Array(4);
  private headerFilled = 0;
  private unfinished: Unfinished | undefined;

  /**
   * @param chunk nobody else's: given back once it is taken apart
   * @returns the frames that `chunk` completed, or `protocol/too-large`: then the connection must be closed
   */
  push(chunk: Uint8Array): Result<Uint8Array[]> {
    const frames: Uint8Array[] = [];
    for (let taken = 0; taken < chunk.length; ) {
      if (this.unfinished === undefined) {
        const piece = chunk.subarray(taken, taken + 4 - this.headerFilled);
        this.header.set(piece, this.headerFilled);
        this.headerFilled += piece.length;
        taken += piece.length;
        if (this.headerFilled < 4) break;
        const length = new DataView(this.header.buffer).getUint32(0);
        if (length > maxFrameBytes) return deny('protocol', 'too-large', `frame of ${length} bytes`);
        this.unfinished = { bytes: new Uint8Array(Buffer.allocUnsafeSlow(length).buffer), filled: 0 };
        this.headerFilled = 0;
      }
      const { bytes, filled } = this.unfinished;
      const piece = chunk.subarray(taken, taken + bytes.length - filled);
      bytes.set(piece, filled);
      taken += piece.length;
      this.unfinished.filled += piece.length;
      if (this.unfinished.filled < bytes.length) break;
      frames.push(bytes);
      this.unfinished = undefined;
    }
    releaseMemory(chunk);
    return ok(frames);
  }
}
