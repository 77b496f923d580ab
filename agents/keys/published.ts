/** Who the custodians of a repository are by what the device keeps of it: for people to read, never to verify with. */
import { fromHex } from '#hal/core/bytes';
import type { DurableStore } from '#hal/ports/durable-store';
import { deviceSchemes } from '#ota-client/trust/keys';
import { type Root, readRoot, readTargets } from '#ota-client/trust/metadata';
import { keptRoot } from '#ota-client/trust/session';
import type { KnownKey } from './known.ts';

const topRoles = ['root', 'targets', 'snapshot', 'timestamp'] as const;
const delegated = ['policy', 'configuration', 'apps'] as const;

/**
 * @param store the mind's, where the metadata of the repository lies under `metadata-`
 * @returns the keys of the newest root that is kept, and of the newest delegations; those of the pinned root at least
 */
export const publishedKeysOf = (store: Pick<DurableStore, 'get'>, pinnedRoot: Uint8Array): readonly KnownKey[] => {
  const kept = (name: string) => {
    const read = store.get(`metadata-${name}`);
    return read.ok ? read.value : undefined;
  };
  const root = newestRoot(kept, pinnedRoot);
  if (root === undefined) return [];
  const top = topRoles.flatMap((role) => keysOf(role, root.version, root.roles[role].keyids));
  const bytes = kept('targets.json');
  const targets = bytes === undefined ? undefined : readTargets(bytes, deviceSchemes);
  if (!targets?.ok) return top;
  const { version, delegations } = targets.value.content;
  const classes = delegated.flatMap((name) =>
    keysOf(name, version, delegations?.roles.find((role) => role.name === name)?.keyids ?? []),
  );
  return [...top, ...classes];
};

const newestRoot = (kept: (name: string) => Uint8Array | undefined, pinnedRoot: Uint8Array): Root | undefined => {
  const pinned = readRoot(pinnedRoot, deviceSchemes);
  if (!pinned.ok) return undefined;
  let root = pinned.value.content;
  for (;;) {
    const bytes = kept(keptRoot(root.version + 1));
    const next = bytes === undefined ? undefined : readRoot(bytes, deviceSchemes);
    if (!next?.ok) return root;
    root = next.value.content;
  }
};

const keysOf = (keyClass: KnownKey['keyClass'], epoch: number, ids: readonly string[]): readonly KnownKey[] =>
  ids.flatMap((id) => {
    const keyId = fromHex(id);
    return keyId?.length === 32 ? [{ keyClass, keyId, epoch, isInUse: true }] : [];
  });
