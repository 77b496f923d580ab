/** The one image repository of the simulated administration: policies, apps and releases, in a folder that is served. */

import { folderFiles } from '#agents/release/folder-files';
import { ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import type { Clock } from '#hal/ports/clock';
import { createRepository, type ImageRepository, lifetimes } from '#ota-client/repository/publish';
import type { Approvers } from './approvers.ts';

export interface OpenedRepository {
  readonly repository: ImageRepository;
  /** The root that goes into the image of a device. */
  readonly root: Uint8Array;
}

/** Signed anew where the folder is empty. */
export const openRepository = async (
  directory: string,
  approvers: Approvers,
  clock: Pick<Clock, 'nowMs'>,
): Promise<Result<OpenedRepository>> => {
  const files = folderFiles(directory);
  const repository: ImageRepository = {
    ...{ crypto: nodeCrypto, files, lifetimes },
    ...{ top: approvers.top, classes: approvers.classes },
  };
  const published = await files.get(firstRoot);
  if (!published.ok) return published;
  if (published.value !== undefined) return ok({ repository, root: published.value });
  const created = await createRepository(repository, approvers.everybody, clock.nowMs());
  if (!created.ok) return created;
  const root = await files.get(firstRoot);
  return root.ok ? ok({ repository, root: root.value ?? new Uint8Array() }) : root;
};

const firstRoot = 'metadata/1.root.json';
