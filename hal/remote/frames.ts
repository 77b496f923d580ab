/** Frames on a byte stream: a 32-bit big-endian length, then that many bytes of `Frame`. */
import type { Socket } from 'node:net';
import { concat, u32be } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { passed } from '#hal/core/young-garbage';

/** Evidence with a boot log inside is the largest message. */
export const maxFrameBytes = 4 * 1024 * 1024;

export const frame = (bytes: Uint8Array): Uint8Array => concat(u32be(bytes.length), bytes);

/** Length and bytes in one system call, without both in one more buffer. */
export const writeFrame = (socket: Pick<Socket, 'cork' | 'uncork' | 'write'>, bytes: Uint8Array): void => {
  passed(bytes.length);
  socket.cork();
  socket.write(u32be(bytes.length));
  socket.write(bytes);
  socket.uncork();
};

/** Cuts a stream into frames; keeps what is not complete, never more than one frame. */
export class FrameSplitter {
  private chunks: Uint8Array[] = [];
  private buffered = 0;

  /** @returns the frames that `chunk` completed, or `protocol/too-large`: then the connection must be closed */
  push(chunk: Uint8Array): Result<Uint8Array[]> {
    this.chunks.push(chunk);
    this.buffered += chunk.length;
    passed(chunk.length);
    const frames: Uint8Array[] = [];
    while (this.buffered >= 4) {
      const length = this.peekLength();
      if (length > maxFrameBytes) return deny('protocol', 'too-large', `frame of ${length} bytes`);
      if (this.buffered < 4 + length) break;
      const whole = this.chunks.length === 1 ? (this.chunks[0] as Uint8Array) : concat(...this.chunks);
      frames.push(whole.subarray(4, 4 + length));
      const rest = whole.subarray(4 + length);
      this.chunks = rest.length === 0 ? [] : [rest];
      this.buffered = rest.length;
    }
    return ok(frames);
  }

  private peekLength(): number {
    let header = this.chunks[0] as Uint8Array;
    if (header.length < 4) {
      header = concat(...this.chunks);
      this.chunks = [header];
    }
    return new DataView(header.buffer, header.byteOffset, 4).getUint32(0);
  }
}
