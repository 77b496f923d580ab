/** Signing everything at once: what custodians are asked, and what is published of it. */
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { assembleMetadata } from '#ota-client/repository/compose';
import type { Quorum, Signer } from '#ota-client/repository/custodian';
import {
  type ImageRepository,
  prepareRoles,
  putPrepared,
  putRoot,
  type SignedRole,
  type UnsignedRole,
} from '#ota-client/repository/publish';
import type { MetadataItem } from '#ota-client/repository/signing-item';
import { bundleClasses } from '#ota-client/trust/release';
import { type KeptRequest, type QuorumsOf, signaturesOf } from './requests.ts';

export const itemsOf = (roles: readonly UnsignedRole[]): readonly MetadataItem[] =>
  roles.map(({ role, version, signed }) => ({
    ...{ kind: 'metadata', role: role as MetadataItem['role'], version, signed, files: [] },
  }));

/**
 * Root first, which is trusted by the one before; the rest under a new snapshot and timestamp, which are made before: no
 * root is public whose lists cannot be.
 * @param enter what is done with the signed lists before anything is public
 * @returns the root; or `integrity/custodians-missing` where an item has not enough of each of its quorums, and the faults of
 * `enter` and of `prepareRoles`
 */
export const publishCeremony = async (
  repository: ImageRepository,
  kept: KeptRequest,
  quorumsOf: QuorumsOf,
  signers: readonly Signer[],
  nowMs: number,
  enter: (lists: readonly SignedRole[]) => Promise<Result<void>> = async () => done,
): Promise<Result<Uint8Array>> => {
  const roles: SignedRole[] = [];
  for (const item of kept.request.items) {
    if (item.kind !== 'metadata') return deny('protocol', 'field-invalid', 'a statement is signed for its release alone');
    const bytes = assembleFor(repository.crypto, kept, item, quorumsOf(item));
    if (!bytes.ok) return bytes;
    roles.push({ role: item.role, version: item.version, bytes: bytes.value });
  }
  const [root, ...rest] = roles;
  if (root?.role !== 'root') return deny('protocol', 'field-invalid', 'the first item is the root');
  const prepared = await prepareRoles(repository, rest, signers, nowMs);
  if (!prepared.ok) return prepared;
  const entered = await enter(rest.filter(({ role }) => bundleClasses.some((name) => name === role)));
  if (!entered.ok) return entered;
  const rooted = await putRoot(repository.files, root);
  if (!rooted.ok) return rooted;
  const published = await putPrepared(repository.files, prepared.value);
  return published.ok ? ok(root.bytes) : published;
};

/** Each quorum by itself, then the signatures of all of them in one file. */
const assembleFor = (
  crypto: CryptoBackend,
  kept: KeptRequest,
  item: MetadataItem,
  quorums: readonly Quorum[],
): Result<Uint8Array> => {
  const given = signaturesOf(kept, item);
  for (const quorum of quorums) {
    const alone = assembleMetadata(crypto, item.signed, given, quorum);
    if (!alone.ok) return alone;
  }
  const everybody = new Map(quorums.flatMap(({ custodians }) => custodians).map((custodian) => [custodian.name, custodian]));
  return assembleMetadata(crypto, item.signed, given, { custodians: [...everybody.values()], threshold: 1 });
};
