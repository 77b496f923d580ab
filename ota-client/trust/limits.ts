/** What a repository may make this client read, and how far it may send it. Reaching one of them is a refusal (TUF 1.0 §5). */

/** Bytes of one metadata file. A hybrid signature of one custodian takes 6.9 kB as hexadecimal JSON. */
export const metadataBytes = {
  root: 512 * 1024,
  timestamp: 64 * 1024,
  snapshot: 1024 * 1024,
  targets: 4 * 1024 * 1024,
} as const;

export type RoleType = keyof typeof metadataBytes;

/** What is read of a file that metadata names: a length that is signed may be without end too (TUF 1.0 §1.5.2, endless data attack). */
export const mostBytesOf = ({ length }: { readonly length?: number | undefined }, type: RoleType): number =>
  Math.min(length ?? metadataBytes[type], metadataBytes[type]);

/** TUF 1.0 §5.3.3, Y: roots fetched in one refresh. What was verified is kept, so the next refresh goes on from there. */
export const maxRootsPerRefresh = 64;

/** TUF 1.0 §5.6.7.1: roles visited while one target is looked for, and how far from the top. */
export const maxVisitedRoles = 32;
export const maxDelegationDepth = 8;

export const maxKeys = 256;
export const maxSignatures = 64;
export const maxDelegatedRoles = 256;
/** TAP 15: hash bins of one role are two to this power; a snapshot names them all. */
export const maxBinBits = 14;
export const maxMetaFiles = 2 ** maxBinBits + maxDelegatedRoles;
export const maxPatterns = 256;
export const maxTargets = 8192;
export const maxHashes = 8;
