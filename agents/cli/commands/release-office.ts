/** What the commands of a publisher's office have in common. */
import { type OfficeParts, readRoots } from '#agents/release/office';
import { ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxClock } from '#hal/linux/clock';
import type { ReleaseRecord } from '#ota-client/repository/release-record';

export const officeParts = (): OfficeParts => ({ crypto: nodeCrypto, clock: linuxClock() });

/** Hash trees that the verifier knows; none where no file is given, which is right for all that is no image. */
export const liveRootsIn = (path: string | undefined): Result<readonly string[]> =>
  path === undefined ? ok([]) : readRoots(path);

export const shownRelease = ({ id, state, permille, reviewers, failedOn }: ReleaseRecord) => ({
  text: `${id} is ${state}${state === 'rolling' ? `, offered to ${permille} of 1000` : ''}`,
  json: { id, state, permille, reviewers, failures: failedOn.length },
});
