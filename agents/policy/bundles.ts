/** What an administration sends, by class of target: each has its own message, and in the repository its own keys. */
import { decodeMessage } from '#hal/core/message';
import type { Result } from '#hal/core/result';
import type { AppManifest, ConfigurationBundle, PolicyBundle } from '#protos/gen/types';

const messages = { policy: 'PolicyBundle', configuration: 'ConfigurationBundle', apps: 'AppManifest' } as const;

export type ManagedClass = keyof typeof messages;
export const managedClasses = Object.keys(messages) as readonly ManagedClass[];

/** A target whose signatures, length and hashes have been verified. */
export interface SignedBundle {
  readonly kind: ManagedClass;
  readonly payload: Uint8Array;
  /** Who signed: 16 bytes, the same for the same set of keys. */
  readonly signer: Uint8Array;
}

export type Bundle =
  | { readonly kind: 'policy'; readonly value: PolicyBundle }
  | { readonly kind: 'configuration'; readonly value: ConfigurationBundle }
  | { readonly kind: 'apps'; readonly value: AppManifest };

/** @returns the bundle, or `protocol/malformed`, `protocol/field-invalid` */
export const decodeBundle = ({ kind, payload }: Pick<SignedBundle, 'kind' | 'payload'>): Result<Bundle> => {
  const decoded = decodeMessage(messages[kind], payload);
  return decoded.ok ? { ok: true, value: { kind, value: decoded.value } as Bundle } : decoded;
};
