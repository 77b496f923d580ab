/**
 * CPace-X25519-SHA512: a balanced password-authenticated key exchange, one message each way.
 *
 * Source: draft-irtf-cfrg-cpace-21 §7 (protocol), §8.1 and §8.2 (this suite); a draft, not yet an RFC. The initiator
 * and responder setting only (`transcript_ir`). Whoever sees the messages of one run can test one code for each run
 * that he takes part in, and none offline. BigInt is not constant time: the generator leaks through timing to whoever
 * measures the machine itself; the Key computes it on its secure side.
 */
import { concat, utf8, wipe } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { Random } from '#hal/ports/random';
import type { CryptoBackend } from './backend.ts';

export interface CpaceInputs {
  /** PRS: the code or card secret. */
  readonly secret: Uint8Array;
  /** CI: party ids, transport, whatever both must agree on. */
  readonly channel: Uint8Array;
  /** sid: fresh for each run. */
  readonly sessionId: Uint8Array;
}

/** One party's public share Y and associated data AD. */
export interface CpaceShare {
  readonly share: Uint8Array;
  readonly associated: Uint8Array;
}

export interface CpaceParty extends CpaceShare {
  readonly scalar: Uint8Array;
}

/** §7.2: sample a scalar and compute the public share. */
export const cpaceStart = (backend: CryptoBackend, inputs: CpaceInputs, associated: Uint8Array, random: Random): CpaceParty => {
  const scalar = random.bytes(32);
  const share = backend.x25519.shared(scalar, cpaceGenerator(backend, inputs));
  if (share === undefined) throw new Error('a clamped scalar times a generator is never zero');
  return { scalar, share, associated };
};

/**
 * §7.2: the intermediate session key ISK, 64 bytes.
 *
 * @param own what `cpaceStart` gave; its scalar is wiped
 * @returns ISK, or `integrity/peer-key-invalid` where K is the neutral element ("MUST abort")
 */
export const cpaceFinish = (
  backend: CryptoBackend,
  inputs: CpaceInputs,
  role: 'initiator' | 'responder',
  own: CpaceParty,
  peer: CpaceShare,
): Result<Uint8Array> => {
  const k = backend.x25519.shared(own.scalar, peer.share); // refuses every share of small order, RFC 7748 §6.1
  wipe(own.scalar);
  if (k === undefined) return deny('integrity', 'peer-key-invalid', 'CPace share of small order');
  const [a, b] = role === 'initiator' ? [own, peer] : [peer, own];
  const isk = backend.hash('sha512', lvCat(utf8('CPace255_ISK'), inputs.sessionId, k), cpaceTranscript(a, b));
  wipe(k);
  return ok(isk);
};

/** §6.3 transcript_ir. */
export const cpaceTranscript = (initiator: CpaceShare, responder: CpaceShare): Uint8Array =>
  concat(lvCat(initiator.share, initiator.associated), lvCat(responder.share, responder.associated));

/** §8.2 calculate_generator for G_X25519 with SHA-512. */
export const cpaceGenerator = (backend: CryptoBackend, { secret, channel, sessionId }: CpaceInputs): Uint8Array => {
  const domain = utf8('CPace255'); // §8.2: G_X25519.DSI
  const padding = Math.max(0, sha512BlockBytes - prependLength(secret).length - prependLength(domain).length - 1);
  const hash = backend.hash('sha512', lvCat(domain, secret, new Uint8Array(padding), channel, sessionId));
  return elligator2(hash.subarray(0, 32));
};

const sha512BlockBytes = 128;
const prime = 2n ** 255n - 19n;
const curveA = 486662n;

/** RFC 9380 §6.7.1 map_to_curve_elligator2_curve25519 with Z = 2, the u-coordinate alone; RFC 7748 §5 decoding. */
const elligator2 = (encoded: Uint8Array): Uint8Array => {
  const r = modulo(BigInt.asUintN(255, littleEndian(encoded)));
  const candidate = modulo(-curveA * power(1n + 2n * r * r, prime - 2n));
  const onCurve = power(candidate ** 3n + curveA * candidate ** 2n + candidate, (prime - 1n) / 2n) === 1n;
  let u = onCurve ? candidate : modulo(-candidate - curveA);
  return Uint8Array.from({ length: 32 }, () => {
    const byte = Number(u & 0xffn);
    u >>= 8n;
    return byte;
  });
};

const modulo = (value: bigint): bigint => ((value % prime) + prime) % prime;

const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n;
  let square = modulo(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % prime;
    square = (square * square) % prime;
  }
  return result;
};

const littleEndian = (bytes: Uint8Array): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** §6.3 prepend_len: the length in LEB128, then the string. */
const prependLength = (bytes: Uint8Array): Uint8Array => {
  const length: number[] = [];
  let rest = bytes.length;
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return concat(Uint8Array.from(length), bytes);
};

const lvCat = (...parts: readonly Uint8Array[]): Uint8Array => concat(...parts.map(prependLength));
