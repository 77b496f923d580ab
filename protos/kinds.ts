/**
 * The kinds of value that a string or bytes field may hold, with their limits.
 *
 * A closed list: there is no kind for free text, so no field of any API can carry content. A `.proto` names the kind
 * of each such field; the build turns that into `gen/fields.ts`, and the decode edge enforces it.
 */
interface BytesKind {
  readonly type: 'bytes';
  readonly least: number;
  readonly most: number;
  readonly why: string;
}
interface TextKind {
  readonly type: 'string';
  readonly pattern: RegExp;
  readonly why: string;
}

const bytes = (least: number, most: number, why: string): BytesKind => ({ type: 'bytes', least, most, why });
const text = (pattern: RegExp, why: string): TextKind => ({ type: 'string', pattern, why });

export const kinds = {
  id: bytes(16, 16, 'a random or derived 128-bit identifier'),
  digest: bytes(32, 32, 'SHA-256'),
  nonce: bytes(32, 32, 'a challenge'),
  mac: bytes(32, 32, 'HMAC-SHA-256'),
  key: bytes(32, 32, 'a symmetric key, on a local socket only'),
  'public-key': bytes(32, 4096, 'a raw public key'),
  'key-info': bytes(44, 91, 'SubjectPublicKeyInfo in DER, of Ed25519 or P-256'),
  signature: bytes(64, 8192, 'a raw signature'),
  certificate: bytes(1, 8192, 'X.509 DER'),
  tpm: bytes(1, 4096, 'a TPM structure in wire form'),
  evidence: bytes(1, 2 * 1024 * 1024, 'signed CBOR: attestation evidence'),
  result: bytes(1, 64 * 1024, 'signed CBOR: an attestation result'),
  envelope: bytes(1, 64 * 1024, 'an encoded Envelope'),
  permit: bytes(1, 512, 'a permit in its fixed layout'),
  signed: bytes(1, 64 * 1024, 'the exact bytes to be signed'),
  checkpoint: bytes(1, 16 * 1024, 'a signed note'),
  'log-proof': bytes(1, 48 * 1024, 'proof that something is in a public log: a text'),
  'boot-log': bytes(0, 1024 * 1024, 'a TCG event log'),
  sealed: bytes(32, 128 * 1024, 'sealed end to end for one receiver'),
  pairing: bytes(4, 32, 'what proves a pairing with a Key: the bytes of its card, or typed digits'),
  pin: bytes(4, 8, 'digits 0 to 9, on a local socket only'),
  parcel: bytes(1536, 1536, 'one message of an alert, sealed to its contact; every parcel has one size'),
  'contact-answer': bytes(58, 58, 'what a contact says to a Key, authenticated to it'),
  segment: bytes(1, 256 * 1024, 'one segment of a system image, bound for a slot'),
  digests: bytes(0, 2 * 1024 * 1024, 'SHA-256 values one after the other'),
  part: bytes(0, 1024 * 1024, 'a part of a published file, verified by its digest'),
  message: bytes(0, 3 * 1024 * 1024, 'an encoded message of this package, decoded by its own schema'),
  slug: text(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'a word of a closed vocabulary'),
  method: text(/^[a-z][a-zA-Z]*\.[a-z][a-zA-Z]*$/, 'port.method'),
  event: text(/^[a-z]+\.[a-z]+(?:-[a-z]+)*$/, 'category.event of the audit vocabulary'),
  code: text(/^[a-z]+\/[a-z0-9]+(?:-[a-z0-9]+)*$/, 'category/reason'),
  'code-or-none': text(/^(?:[a-z]+\/[a-z0-9]+(?:-[a-z0-9]+)*)?$/, 'category/reason, empty where nothing was refused'),
  token: text(
    /^[A-Za-z0-9][A-Za-z0-9.:_/[\]*-]{0,63}$/,
    'a measured value in one word: a version, a name of a kernel part, an address and port',
  ),
  label: text(/^[0-9a-f]{32}$/, 'a random name that says nothing'),
  path: text(
    /^(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\/)*[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/,
    'a path in a repository: no name in it begins or ends with a dot',
  ),
  interface: text(/^[a-z][a-z0-9._-]{0,14}$/, 'the name of a network interface'),
  address: text(/^[0-9a-f.:]{1,45}$/, 'an IP address'),
} as const satisfies Record<string, BytesKind | TextKind>;

export type Kind = keyof typeof kinds;

/** Longest text of any kind, in characters. */
export const maxTextLength = 160;
