/**
 * What a custodian is asked to sign: a release statement, or the metadata of a role. Each has one form in which it is
 * signed, made here on the custodian's own machine, so that nobody signs bytes of which nothing is known.
 */

import { utf8 } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { signedBytes } from '#hal/crypto/envelope';
import { statementHeader } from '#ota-client/slots/statement';
import { canonicalJson } from '#ota-client/trust/canonical';
import type { JsonObject } from '#ota-client/trust/json';
import { deviceSchemes } from '#ota-client/trust/keys';
import { type Root, readRoot, readTargets, type Targets, type TopRole } from '#ota-client/trust/metadata';
import { type BundleClass, bundleClasses } from '#ota-client/trust/release';
import { type HybridMessages, metadataMessages } from './custodian.ts';

/** Whose keys a custodian holds: those of the owners, of the publishing machine, or of one class (SR-03). */
export const officeRoles = ['owner', 'publisher', ...bundleClasses] as const;
export type OfficeRole = (typeof officeRoles)[number];

/** A file that the metadata names, for whoever signs to look at. */
export interface NamedFile {
  /** Of the target. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface StatementItem {
  readonly kind: 'statement';
  readonly role: BundleClass;
  /** The 140 bytes of a release statement. */
  readonly payload: Uint8Array;
  /** The name whose digest the statement has. */
  readonly hardware: string;
}

export interface MetadataItem {
  readonly kind: 'metadata';
  /** Of TUF. */
  readonly role: BundleClass | TopRole;
  readonly version: number;
  readonly signed: JsonObject;
  readonly files: readonly NamedFile[];
}

export type SigningItem = StatementItem | MetadataItem;

/** Who signs for a role of TUF. */
const signersOf: Readonly<Record<TopRole, OfficeRole>> = {
  root: 'owner',
  targets: 'owner',
  snapshot: 'publisher',
  timestamp: 'publisher',
};

export const officeRoleOf = ({ role }: SigningItem): OfficeRole => (isTopRole(role) ? signersOf[role] : role);

export const isTopRole = (role: string): role is TopRole => Object.hasOwn(signersOf, role);

/** The exact bytes for both keys: an envelope's, or those of TUF and TAP 21. */
export const messagesOf = (crypto: CryptoBackend, item: SigningItem): HybridMessages => {
  if (item.kind === 'metadata') return metadataMessages(crypto, canonicalJson(item.signed));
  const bytes = signedBytes(statementHeader, item.payload);
  return { classical: bytes, postQuantum: bytes };
};

/** What a root says, read as a device reads it. @returns a fault of `readRoot` */
export const rootOf = ({ signed }: Pick<MetadataItem, 'signed'>): Result<Root> => {
  const read = readRoot(unsigned(signed), deviceSchemes);
  return read.ok ? ok(read.value.content) : read;
};

/** What a list says, read as a device reads it. @returns a fault of `readTargets` */
export const listOf = ({ signed }: Pick<MetadataItem, 'signed'>): Result<Targets> => {
  const read = readTargets(unsigned(signed), deviceSchemes);
  return read.ok ? ok(read.value.content) : read;
};

const unsigned = (signed: JsonObject): Uint8Array => utf8(JSON.stringify({ signatures: [], signed }));
