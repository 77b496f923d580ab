/** Bytes that stay: a partition, a file in its place, or a simulated medium. */
import type { Result } from '#hal/core/result';

export interface BlockDevice {
  readonly sizeBytes: number;
  /**
   * Sees every write that came before it, flushed or not.
   * @param into memory to read into, of at least `lengthBytes`: new memory for each part of an image costs more than
   * reading it. An adapter that has no use for it leaves it alone
   * @returns exactly `lengthBytes` bytes, of `into` or of the caller's own; `protocol/field-invalid` outside the device,
   * `unavailable/storage-failed` where the medium cannot be read
   */
  read(offsetBytes: number, lengthBytes: number, into?: Uint8Array): Promise<Result<Uint8Array>>;
  /**
   * Durable only after a `flush` that succeeded; until then a power cut may keep, drop or tear it. `bytes` may be used
   * again by the caller once this resolves.
   * @returns nothing; `protocol/field-invalid` outside the device, `resource/storage-full`, `unavailable/storage-failed`
   */
  write(offsetBytes: number, bytes: Uint8Array): Promise<Result<void>>;
  /** Everything written before is durable. A fault may belong to any write since the last flush. */
  flush(): Promise<Result<void>>;
}

/** Whether a range lies inside a device; every adapter refuses the others. */
export const isInside = ({ sizeBytes }: Pick<BlockDevice, 'sizeBytes'>, offsetBytes: number, lengthBytes: number): boolean =>
  Number.isSafeInteger(offsetBytes) &&
  Number.isSafeInteger(lengthBytes) &&
  offsetBytes >= 0 &&
  lengthBytes >= 0 &&
  offsetBytes + lengthBytes <= sizeBytes;
