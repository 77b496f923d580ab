/** The partition on which a machine keeps what is its own: encrypted, its key sealed by whoever opens it. */
import type { Result } from '#hal/core/result';

export type VolumeState =
  /** As it left the factory: zeros where a header would be. */
  | { readonly is: 'empty' }
  /** Somebody was cut off while making it: the key of what lies there was never kept, so nothing can be in it. */
  | { readonly is: 'unfinished' }
  | { readonly is: 'whole'; readonly sealedKey: Uint8Array };

/** Every fault of it is `unavailable/storage-failed`. Keys have 32 random bytes. */
export interface DataVolume {
  inspect(): Promise<Result<VolumeState>>;
  /** Makes an encrypted file system and mounts it; what lay there is gone. */
  make(key: Uint8Array): Promise<Result<void>>;
  /** Keeps the sealed key beside what was made, and so makes it whole. */
  finish(sealedKey: Uint8Array): Promise<Result<void>>;
  /** Opens and mounts. */
  open(key: Uint8Array): Promise<Result<void>>;
}
