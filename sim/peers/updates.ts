/** The far ends of an update, started together: where releases come from, who watches their log, and the director that names them. */
import { ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import { type DirectorPeer, startDirector } from './director.ts';
import { startWitnesses } from './release-log.ts';
import { openReleases, type Releases, type ReleasesOptions } from './releases.ts';
import type { PeerSecrets } from './secrets.ts';

export interface UpdatePeers {
  readonly releases: Releases;
  readonly director: DirectorPeer;
  close(): Promise<void>;
}

export interface UpdateOptions extends Omit<ReleasesOptions, 'secrets' | 'clock'> {
  readonly secrets: PeerSecrets;
  readonly clock: Clock;
}

/** @returns the running peers, or `unavailable/not-supported` where no image can be built here */
export const startUpdates = async (options: UpdateOptions): Promise<Result<UpdatePeers>> => {
  const { directory, secrets, clock } = options;
  const witnesses = await startWitnesses({ directory, seed: secrets.custodians, secrets, clock });
  if (!witnesses.ok) return witnesses;
  const releases = await openReleases({ ...options, witnesses: witnesses.value.asked });
  if (!releases.ok) {
    await witnesses.value.close();
    return releases;
  }
  const director = await startDirector({ directory, secrets, clock, releases: releases.value });
  if (!director.ok) {
    releases.value.close();
    await witnesses.value.close();
    return director;
  }
  return ok({
    releases: releases.value,
    director: director.value,
    async close() {
      await director.value.close();
      releases.value.close();
      await witnesses.value.close();
    },
  });
};
