/**
 * The file of a custodian's key: its name, the role that it signs for, and where its two keys are. The classical one is in
 * the file or in a token; what is in no token lies in the file in clear, or sealed by the TPM of the custodian's machine.
 */
import { concat, toBase64 } from '#hal/core/bytes';
import { base64, decodeJson, object, oneOf, optional, someBase64, text } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import type { PinSealed } from '#hal/ports/pin-vault';
import type { TokenKey } from '#hal/ports/signing-token';
import { officeRoles } from '#ota-client/repository/signing-item';

/** Of an office, or of a technician: no role of an office, and believed only under a grant. */
export const keyRoles = [...officeRoles, 'technician'] as const;
export type KeyRole = (typeof keyRoles)[number];

export interface KeyFile {
  readonly name: string;
  readonly role: KeyRole;
  /** Where the classical key is, with its public half. */
  readonly token?: TokenPlace | undefined;
  readonly seeds: ClearSeeds | SealedSeeds;
}

export interface TokenPlace extends TokenKey {
  readonly publicKey: Uint8Array;
}

/** Of the classical key, where no token has it, then of the post-quantum one: 32 bytes each. */
export interface ClearSeeds {
  readonly kind: 'clear';
  readonly bytes: Uint8Array;
}

/** The same, with the public halves of what nobody can read. */
export interface SealedSeeds extends PinSealed {
  readonly kind: 'sealed';
  /** Where no token has the key. */
  readonly ed25519?: Uint8Array | undefined;
  readonly mlDsa65: Uint8Array;
}

export const custodianName = text(/^[a-z0-9][a-z0-9-]{0,63}$/, 'the name of a custodian');
export const keyRole = oneOf(...keyRoles);

/** A name of a TPM object has at most the digest of SHA-512 in it; the wrapped seeds have about 250 bytes. */
const maxRootBytes = 66;
const maxWrappedBytes = 1024;

const fields = object({
  ...{ name: custodianName, role: keyRole },
  classical: optional(base64(32)),
  token: optional(object({ module: text(), token: text(), key: text(), publicKey: base64(32) })),
  postQuantum: optional(base64(32)),
  sealed: optional(
    object({
      root: someBase64(maxRootBytes),
      wrapped: someBase64(maxWrappedBytes),
      ed25519: optional(base64(32)),
      mlDsa65: base64(1952),
    }),
  ),
});

/** @returns the key, or `protocol/config-invalid`, also for one with more or less than two halves */
export const readKeyFile = (bytes: Uint8Array): Result<KeyFile> => {
  const decoded = decodeJson(Buffer.from(bytes).toString('utf8'), fields);
  if (!decoded.ok) return decoded;
  const { name, role, classical, token, postQuantum, sealed } = decoded.value;
  const seeds = seedsOf(classical, postQuantum, sealed, token !== undefined);
  return seeds === undefined
    ? deny('protocol', 'config-invalid', 'expected either classical or token, and either postQuantum or sealed')
    : ok({ name, role, token, seeds });
};

const seedsOf = (
  classical: Uint8Array | undefined,
  postQuantum: Uint8Array | undefined,
  sealed: Omit<SealedSeeds, 'kind'> | undefined,
  hasToken: boolean,
): KeyFile['seeds'] | undefined => {
  if (sealed !== undefined) {
    const isWhole = classical === undefined && postQuantum === undefined && (sealed.ed25519 === undefined) === hasToken;
    return isWhole ? { kind: 'sealed', ...sealed } : undefined;
  }
  if (postQuantum === undefined || (classical === undefined) !== hasToken) return undefined;
  return { kind: 'clear', bytes: classical === undefined ? postQuantum : concat(classical, postQuantum) };
};

export const keyFileText = ({ name, role, token, seeds }: KeyFile): string =>
  `${JSON.stringify({
    ...{ name, role },
    ...(token === undefined ? {} : { token: { ...token, publicKey: toBase64(token.publicKey) } }),
    ...(seeds.kind === 'sealed' ? { sealed: sealedJson(seeds) } : clearJson(seeds)),
  })}\n`;

const clearJson = ({ bytes }: ClearSeeds) => ({
  ...(bytes.length === 64 ? { classical: toBase64(bytes.subarray(0, 32)) } : {}),
  postQuantum: toBase64(bytes.subarray(-32)),
});

const sealedJson = ({ root, wrapped, ed25519, mlDsa65 }: SealedSeeds) => ({
  ...{ root: toBase64(root), wrapped: toBase64(wrapped) },
  ...(ed25519 === undefined ? {} : { ed25519: toBase64(ed25519) }),
  mlDsa65: toBase64(mlDsa65),
});
