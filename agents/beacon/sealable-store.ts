/**
 * One secret value of the relay as it lies on disk: sealed from the moment that there is a key for it, in clear only where
 * the device has none, and neither before it is known which of the two holds.
 */
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { isSealedRecord, openRecord, sealRecord } from '#hal/crypto/sealed-record';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Random } from '#hal/ports/random';

export interface SealableStoreParts {
  readonly store: DurableStore;
  readonly crypto: CryptoBackend;
  readonly random: Random;
}

export class SealableStore implements Pick<DurableStore, 'get' | 'put'> {
  private readonly parts: SealableStoreParts;
  private key: Uint8Array | undefined;
  private isClearAllowed = false;

  constructor(parts: SealableStoreParts) {
    this.parts = parts;
  }

  /** Until a key comes values are kept as they are: this device has no secret to seal with. */
  allowClear(): void {
    this.isClearAllowed = true;
  }

  /**
   * From now on values are sealed. One that is in clear is sealed at once, and what it was is in no file of the store
   * any more when this is done; after a refusal it may be, and this is to be called again.
   */
  seal(name: string, key: Uint8Array): Result<void> {
    const { store } = this.parts;
    this.key = key;
    const kept = store.get(name);
    if (!kept.ok) return kept;
    const isClear = kept.value !== undefined && !isSealedRecord(kept.value);
    const sealed = isClear ? this.put(name, kept.value) : done;
    // Each time, because power may have failed before the scrubbing of an earlier start.
    return sealed.ok ? store.scrub() : sealed;
  }

  /** @returns also `unavailable/pairing-locked`, and `integrity/pairing-unreadable` where there is no key that opens it */
  get(name: string): Result<Uint8Array | undefined> {
    const kept = this.parts.store.get(name);
    if (!kept.ok || kept.value === undefined || !isSealedRecord(kept.value)) return kept;
    if (this.key === undefined)
      return this.isClearAllowed
        ? deny('integrity', 'pairing-unreadable', 'sealed, on a device without a secret')
        : deny('unavailable', 'pairing-locked');
    const value = openRecord(this.parts.crypto, this.key, name, kept.value);
    return value === undefined ? deny('integrity', 'pairing-unreadable', 'the sealed record does not open') : ok(value);
  }

  put(name: string, value: Uint8Array): Result<void> {
    const { store, crypto, random } = this.parts;
    if (this.key !== undefined) return store.put(name, sealRecord(crypto, random, this.key, name, value));
    return this.isClearAllowed ? store.put(name, value) : deny('unavailable', 'pairing-locked');
  }
}
