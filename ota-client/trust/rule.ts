/** How many signatures make metadata trusted. A device has one rule, `custodianRule`; it is a part, not a setting. */
import type { Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { KeyRing } from './keys.ts';
import type { Root, SignedPart } from './metadata.ts';
import type { RoleKeys } from './role-keys.ts';

/** The keys that one role was given, by root or by a delegation. */
export interface Authority {
  readonly role: string;
  readonly roleKeys: RoleKeys;
  readonly keys: KeyRing;
}

export interface SignatureRule {
  /** What a root must say and contain before it is trusted. */
  checkRoot(root: Root): Result<void>;
  checkSignatures(crypto: CryptoBackend, authority: Authority, signed: SignedPart): Result<void>;
}
