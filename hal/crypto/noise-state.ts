/**
 * CipherState and SymmetricState of Noise for ChaChaPoly and SHA256.
 *
 * Source: The Noise Protocol Framework, revision 34, §5.1, §5.2, §4.3 (HKDF), §11.3 (rekey), §12 (nonce encoding).
 */
import { concat, utf8, wipe } from '#hal/core/bytes';
import type { CryptoBackend } from './backend.ts';

const none = new Uint8Array(0);

/** §12.3: 32 zero bits, then the 64-bit little-endian counter. */
const nonceOf = (counter: bigint): Uint8Array => {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, counter, true);
  return nonce;
};

/** §4.3: HKDF with zero-length info; the salt is the chaining key. */
export const noiseHkdf = (backend: CryptoBackend, chainingKey: Uint8Array, material: Uint8Array, count: 2 | 3): Uint8Array[] => {
  const temporary = backend.hmac(chainingKey, material);
  const outputs: Uint8Array[] = [];
  for (let index = 1; index <= count; index++)
    outputs.push(backend.hmac(temporary, outputs.at(-1) ?? none, Uint8Array.of(index)));
  wipe(temporary);
  return outputs;
};

/** One key and its counter; without a key it passes bytes on (§5.1). */
export class CipherState {
  private counter = 0n;
  private key: Uint8Array | undefined;
  private readonly backend: CryptoBackend;

  constructor(backend: CryptoBackend, key?: Uint8Array) {
    this.backend = backend;
    this.key = key;
  }

  encrypt(associated: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (this.key === undefined) return plaintext.slice();
    const sealed = this.backend.chacha20Poly1305.seal(this.key, nonceOf(this.counter), associated, plaintext);
    this.counter += 1n;
    return sealed;
  }

  /** @returns undefined where the tag is wrong; the counter then stays (§5.1) */
  decrypt(associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (this.key === undefined) return sealed.slice();
    const plaintext = this.backend.chacha20Poly1305.open(this.key, nonceOf(this.counter), associated, sealed);
    if (plaintext !== undefined) this.counter += 1n;
    return plaintext;
  }

  get hasKey(): boolean {
    return this.key !== undefined;
  }

  /** The raw key, for whoever carries it into another process; this state must not be used afterwards. */
  release(): Uint8Array {
    if (this.key === undefined) throw new Error('a cipher state without a key');
    const { key } = this;
    this.key = undefined;
    return key;
  }
}

/** §5.2: chaining key, handshake hash and the cipher of the moment. */
export class SymmetricState {
  hash: Uint8Array;
  private chainingKey: Uint8Array;
  private cipher: CipherState;
  private readonly backend: CryptoBackend;

  constructor(backend: CryptoBackend, protocolName: string) {
    this.backend = backend;
    const name = utf8(protocolName);
    this.hash = name.length <= 32 ? concat(name, new Uint8Array(32 - name.length)) : backend.hash('sha256', name);
    this.chainingKey = this.hash;
    this.cipher = new CipherState(backend);
  }

  get hasKey(): boolean {
    return this.cipher.hasKey;
  }

  mixHash(data: Uint8Array): void {
    this.hash = this.backend.hash('sha256', this.hash, data);
  }

  mixKey(material: Uint8Array): void {
    const [chainingKey = none, key] = noiseHkdf(this.backend, this.chainingKey, material, 2);
    this.chainingKey = chainingKey;
    this.cipher = new CipherState(this.backend, key);
  }

  mixKeyAndHash(material: Uint8Array): void {
    const [chainingKey = none, hash = none, key] = noiseHkdf(this.backend, this.chainingKey, material, 3);
    this.chainingKey = chainingKey;
    this.mixHash(hash);
    this.cipher = new CipherState(this.backend, key);
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = this.cipher.encrypt(this.hash, plaintext);
    this.mixHash(sealed);
    return sealed;
  }

  decryptAndHash(sealed: Uint8Array): Uint8Array | undefined {
    const plaintext = this.cipher.decrypt(this.hash, sealed);
    if (plaintext !== undefined) this.mixHash(sealed);
    return plaintext;
  }

  /** §5.2 Split: the initiator's sending key first. */
  split(): [CipherState, CipherState] {
    const [first, second] = noiseHkdf(this.backend, this.chainingKey, none, 2);
    return [new CipherState(this.backend, first), new CipherState(this.backend, second)];
  }

  /** A further secret of this handshake, under a label that Split never uses. */
  exportSecret(label: string): Uint8Array {
    return this.backend.hmac(this.chainingKey, utf8(label));
  }

  wipe(): void {
    wipe(this.chainingKey);
  }
}
