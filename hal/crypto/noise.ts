/**
 * A Noise handshake, walked over the tokens of its pattern.
 *
 * Source: The Noise Protocol Framework, revision 34, §5.3 (HandshakeState), §9 (psk). The tokens `e1` and `ekem1` are
 * ours (SR-29): `e1` carries an ML-KEM-768 encapsulation key, `ekem1` a ciphertext to it, each by EncryptAndHash, and
 * the shared secret goes through MixKey. FIPS 203 §7.2 and §7.3 checks are the back end's, and a refusal ends the
 * handshake.
 */
import { concat, wipe } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { Random } from '#hal/ports/random';
import type { CryptoBackend } from './backend.ts';
import type { Pattern, Token } from './noise-patterns.ts';
import { type CipherState, SymmetricState } from './noise-state.ts';

export interface HandshakeOptions {
  readonly pattern: Pattern;
  readonly role: 'initiator' | 'responder';
  readonly prologue: Uint8Array;
  /** Secret key of one's own static key, where the pattern has one. */
  readonly staticSecret?: Uint8Array;
  /** The other side's static public key, where the pattern knows it beforehand. */
  readonly remoteStatic?: Uint8Array;
  /** 32 bytes, where the pattern has a psk. */
  readonly psk?: Uint8Array;
}

export interface Finished {
  readonly send: CipherState;
  readonly receive: CipherState;
  /** §11.2: names this handshake, for channel binding. */
  readonly hash: Uint8Array;
  readonly remoteStatic: Uint8Array | undefined;
  /** For the next handshake's psk. */
  exportSecret(label: string): Uint8Array;
}

interface KeyPair {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
}

const pointBytes = 32;
const tagBytes = 16;
/** §3: a message has at most 65535 bytes. */
const maxMessageBytes = 65_535;

/** A refusal of the other side's bytes, inside `read`. */
class Refused extends Error {}

export class Handshake {
  private readonly symmetric: SymmetricState;
  private readonly backend: CryptoBackend;
  private readonly random: Random;
  private readonly options: HandshakeOptions;
  private readonly ownStatic: KeyPair | undefined;
  private readonly hasPsk: boolean;
  private remoteStatic: Uint8Array | undefined;
  private ephemeral: KeyPair | undefined;
  private remoteEphemeral: Uint8Array | undefined;
  private kemSeed: Uint8Array | undefined;
  private remoteKemKey: Uint8Array | undefined;
  private turn = 0;
  private isBroken = false;

  /** @throws for a key that the pattern needs and the options lack: a programmer's error */
  constructor(backend: CryptoBackend, random: Random, options: HandshakeOptions) {
    const { pattern, role, prologue, staticSecret } = options;
    this.backend = backend;
    this.random = random;
    this.options = options;
    this.ownStatic = staticSecret && { secret: staticSecret, publicKey: backend.x25519.publicKey(staticSecret) };
    this.remoteStatic = options.remoteStatic;
    this.hasPsk = pattern.messages.some((tokens) => tokens.includes('psk'));
    this.symmetric = new SymmetricState(backend, pattern.protocolName);
    this.symmetric.mixHash(prologue);
    const [initiator, responder] =
      role === 'initiator' ? [this.ownStatic?.publicKey, this.remoteStatic] : [this.remoteStatic, this.ownStatic?.publicKey];
    if (pattern.initiatorKnown) this.symmetric.mixHash(required(initiator, 'static key of the initiator'));
    if (pattern.responderKnown) this.symmetric.mixHash(required(responder, 'static key of the responder'));
  }

  get isComplete(): boolean {
    return this.turn === this.options.pattern.messages.length;
  }

  /** §5.3 WriteMessage. @returns the message, or `integrity/peer-key-invalid` for the other side's KEM key or point */
  write(payload: Uint8Array): Result<Uint8Array> {
    return this.step(true, (tokens) => {
      const parts = tokens.map((token) => this.writeToken(token));
      return concat(...parts, this.symmetric.encryptAndHash(payload));
    });
  }

  /** §5.3 ReadMessage. @returns the payload, or `integrity/decryption-failed`, `integrity/peer-key-invalid`: the end of it */
  read(message: Uint8Array): Result<Uint8Array> {
    return this.step(false, (tokens) => {
      if (message.length > maxMessageBytes) throw new Refused('too long');
      let rest = message;
      const take = (bytes: number): Uint8Array => {
        if (rest.length < bytes) throw new Refused('truncated');
        const taken = rest.slice(0, bytes);
        rest = rest.subarray(bytes);
        return taken;
      };
      for (const token of tokens) this.readToken(token, take);
      return this.decrypt(rest);
    });
  }

  /** §5.3, end: the two ciphers, once. */
  finish(): Finished {
    if (!this.isComplete) throw new Error('the handshake is not complete');
    const [first, second] = this.symmetric.split();
    const { symmetric, remoteStatic } = this;
    const [send, receive] = this.options.role === 'initiator' ? [first, second] : [second, first];
    return { send, receive, hash: symmetric.hash, remoteStatic, exportSecret: (label) => symmetric.exportSecret(label) };
  }

  private step(isWriting: boolean, run: (tokens: readonly Token[]) => Uint8Array): Result<Uint8Array> {
    const tokens = this.options.pattern.messages[this.turn];
    const isMyTurn = (this.turn % 2 === 0) === (this.options.role === 'initiator');
    if (this.isBroken || tokens === undefined || isMyTurn !== isWriting) throw new Error('not now: a handshake goes in turn');
    try {
      const bytes = run(tokens);
      this.turn += 1;
      return ok(bytes);
    } catch (error) {
      this.isBroken = true;
      this.symmetric.wipe();
      if (!(error instanceof Refused)) throw error;
      return error.message === 'key'
        ? deny('integrity', 'peer-key-invalid')
        : deny('integrity', 'decryption-failed', error.message);
    }
  }

  private writeToken(token: Token): Uint8Array {
    const { symmetric, backend } = this;
    switch (token) {
      case 'e': {
        const secret = this.random.bytes(32);
        this.ephemeral = { secret, publicKey: backend.x25519.publicKey(secret) };
        symmetric.mixHash(this.ephemeral.publicKey);
        if (this.hasPsk) symmetric.mixKey(this.ephemeral.publicKey); // §9.2
        return this.ephemeral.publicKey;
      }
      case 's':
        return symmetric.encryptAndHash(required(this.ownStatic, 'own static key').publicKey);
      case 'e1':
        this.kemSeed = this.random.bytes(backend.mlKem768.seedBytes);
        return symmetric.encryptAndHash(backend.mlKem768.publicKey(this.kemSeed));
      case 'ekem1': {
        const made = backend.mlKem768.encapsulate(required(this.remoteKemKey, 'KEM key')); // FIPS 203 §7.2
        if (made === undefined) throw new Refused('key');
        const sealed = symmetric.encryptAndHash(made.ciphertext);
        symmetric.mixKey(made.shared);
        wipe(made.shared);
        return sealed;
      }
      default:
        this.mix(token);
        return new Uint8Array(0);
    }
  }

  private readToken(token: Token, take: (bytes: number) => Uint8Array): void {
    const { symmetric, backend } = this;
    const sealedBytes = (bytes: number): number => bytes + (symmetric.hasKey ? tagBytes : 0);
    switch (token) {
      case 'e':
        this.remoteEphemeral = take(pointBytes);
        symmetric.mixHash(this.remoteEphemeral);
        if (this.hasPsk) symmetric.mixKey(this.remoteEphemeral);
        return;
      case 's':
        this.remoteStatic = this.decrypt(take(sealedBytes(pointBytes)));
        return;
      case 'e1':
        this.remoteKemKey = this.decrypt(take(sealedBytes(backend.mlKem768.publicKeyBytes)));
        return;
      case 'ekem1': {
        const ciphertext = this.decrypt(take(sealedBytes(backend.mlKem768.ciphertextBytes)));
        const seed = required(this.kemSeed, 'KEM seed');
        const shared = backend.mlKem768.decapsulate(seed, ciphertext); // FIPS 203 §7.3
        wipe(seed);
        if (shared === undefined) throw new Refused('key');
        symmetric.mixKey(shared);
        wipe(shared);
        return;
      }
      default:
        this.mix(token);
    }
  }

  private decrypt(sealed: Uint8Array): Uint8Array {
    const plaintext = this.symmetric.decryptAndHash(sealed);
    if (plaintext === undefined) throw new Refused('tag');
    return plaintext;
  }

  /** Tokens without bytes of their own: DH and psk. */
  private mix(token: 'ee' | 'es' | 'se' | 'ss' | 'psk'): void {
    if (token === 'psk') {
      this.symmetric.mixKeyAndHash(required(this.options.psk, 'psk'));
      return;
    }
    // The first letter is the initiator's key, the second the responder's.
    const [mine, theirs] = this.options.role === 'initiator' ? [token[0], token[1]] : [token[1], token[0]];
    const own = required(mine === 'e' ? this.ephemeral : this.ownStatic, 'own key');
    const remote = required(theirs === 'e' ? this.remoteEphemeral : this.remoteStatic, 'remote key');
    const shared = this.backend.x25519.shared(own.secret, remote);
    if (shared === undefined) throw new Refused('key'); // stricter than §12.1, which lets an all-zero output pass
    this.symmetric.mixKey(shared);
    wipe(shared);
  }
}

const required = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new Error(`the pattern needs ${what}`);
  return value;
};
