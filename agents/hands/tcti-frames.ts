/** Messages of the mssim TCTI: `u32 8, u8 locality, u32 n, n bytes` for a command; any other code stands alone. */
import { concat } from '#hal/core/bytes';

export interface TctiMessage {
  readonly code: number;
  /** The TPM command; no bytes for other codes. */
  readonly command: Uint8Array;
}

/** Codes of tpm2-tss, tcti-mssim. */
export const mssim = { sendCommand: 8, sessionEnd: 20 } as const;
const commandHeaderBytes = 9;

export class FrameBuffer {
  private pending = new Uint8Array();
  private readonly maxCommandBytes: number;

  constructor(maxCommandBytes: number) {
    this.maxCommandBytes = maxCommandBytes;
  }

  /** @returns the messages that are complete; undefined when the stream cannot be one */
  push(chunk: Uint8Array): readonly TctiMessage[] | undefined {
    this.pending = new Uint8Array(concat(this.pending, chunk));
    const messages: TctiMessage[] = [];
    while (this.pending.length >= 4) {
      const view = new DataView(this.pending.buffer, this.pending.byteOffset, this.pending.length);
      const code = view.getUint32(0);
      if (code !== mssim.sendCommand) {
        messages.push({ code, command: new Uint8Array() });
        this.pending = this.pending.subarray(4);
        continue;
      }
      if (this.pending.length < commandHeaderBytes) break;
      const length = view.getUint32(5);
      if (length > this.maxCommandBytes) return undefined;
      if (this.pending.length < commandHeaderBytes + length) break;
      messages.push({ code, command: this.pending.slice(commandHeaderBytes, commandHeaderBytes + length) });
      this.pending = this.pending.slice(commandHeaderBytes + length);
    }
    return messages;
  }
}
