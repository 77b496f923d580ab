/** What an office knows of its releases, for people and for scripts. */
import { toHex } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import { allReleases, type ReleaseRecord } from '#ota-client/repository/release-record';
import { hasFloor } from '#ota-client/repository/succession';
import { releaseOf } from '#ota-client/trust/release';
import { draftVerityRoot } from './draft-folder.ts';
import { atDesk, type OfficeParts } from './office.ts';
import { hasRequest, keptRequest, waitingFor } from './requests.ts';

export interface ReleaseView extends Omit<ReleaseRecord, 'custom'> {
  readonly counter: number;
  readonly floorEpoch?: number;
  /** All, where there is none. */
  readonly hardware?: readonly string[];
  /** Of an image: by which the verifier knows it, in hexadecimal. */
  readonly verityRoot?: string;
  /** Who was asked to sign and has not yet; absent where nobody is asked. */
  readonly waitingFor?: readonly string[];
}

/** @returns all releases, in the order of their drafts */
export const viewReleases = (parts: OfficeParts, folder: string): Promise<Result<readonly ReleaseView[]>> =>
  atDesk(parts, folder, [], ({ store }, { quorumsOf }) => {
    const all = allReleases(store);
    if (!all.ok) return all;
    const views: ReleaseView[] = [];
    for (const { custom, ...release } of all.value) {
      const said = releaseOf({ length: 0, hashes: new Map(), custom });
      if (!said.ok) return said;
      const { releaseCounter, floorEpoch, hw } = said.value;
      const root = hasFloor(release) ? draftVerityRoot(parts.crypto, folder, { id: release.id, custom }) : undefined;
      if (root?.ok === false) return root;
      const asked = hasRequest(folder, release.id) ? keptRequest(folder, release.id) : undefined;
      if (asked?.ok === false) return asked;
      views.push({
        ...release,
        counter: releaseCounter,
        ...(floorEpoch === undefined ? {} : { floorEpoch }),
        ...(hw === undefined ? {} : { hardware: hw }),
        ...(root === undefined ? {} : { verityRoot: toHex(root.value) }),
        ...(asked === undefined ? {} : { waitingFor: waitingFor(asked.value, quorumsOf) }),
      });
    }
    return ok(views);
  });
