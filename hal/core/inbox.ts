/** Bytes that came before somebody asked for them; one reader, bounded. */
import { concatAll } from '#hal/core/bytes';
import { deny, type Failure, ok, type Result } from '#hal/core/result';

export class Inbox {
  private chunks: Uint8Array[] = [];
  private buffered = 0;
  private end: Failure | undefined;
  private wake: () => void = () => undefined;

  /** @returns how many bytes wait now: whoever feeds slows down above its own limit */
  push(bytes: Uint8Array): number {
    this.chunks.push(bytes.slice());
    this.buffered += bytes.length;
    this.wake();
    return this.buffered;
  }

  /** Nothing more will come; what waits is still given out. */
  close(why: Failure): void {
    this.end ??= why;
    this.wake();
  }

  /** @returns what waits, or the next that comes; after the end what it was closed with, or `unavailable/aborted` */
  async take(signal: AbortSignal): Promise<Result<Uint8Array>> {
    while (this.buffered === 0) {
      if (this.end !== undefined) return this.end;
      if (signal.aborted) return deny('unavailable', 'aborted');
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    const bytes = concatAll(this.chunks);
    this.chunks = [];
    this.buffered = 0;
    return ok(bytes);
  }
}
