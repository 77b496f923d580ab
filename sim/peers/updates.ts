/** The far ends of an update, started together: where releases come from, and the director that names them. */
import { ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import { type DirectorPeer, startDirector } from './director.ts';
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
  const releases = await openReleases(options);
  if (!releases.ok) return releases;
  const { directory, secrets, clock } = options;
  const director = await startDirector({ directory, secrets, clock, releases: releases.value });
  if (!director.ok) {
    releases.value.close();
    return director;
  }
  return ok({
    releases: releases.value,
    director: director.value,
    async close() {
      await director.value.close();
      releases.value.close();
    },
  });
};
