/** TUF 1.0 §5.1 to §5.6: from the root in the image to the current top-level targets. */
import { ok, type Result } from '#hal/core/result';
import type { Root, Snapshot, Targets } from './metadata.ts';
import { newestRoot } from './root-chain.ts';
import type { Session, Trust } from './session.ts';
import { namedSnapshot } from './snapshot.ts';
import { roleTargets } from './targets.ts';
import { type TrustedTime, updateStart } from './time.ts';
import { newestTimestamp } from './timestamp.ts';

/** A repository that was verified as of the start of its session. */
export interface Repository {
  readonly session: Session;
  readonly root: Root;
  readonly snapshot: Snapshot;
  readonly targets: Targets;
}

/** @returns the repository; or `posture/time-unknown`, and the faults of each step; a later refresh starts from what was kept */
export const refresh = async (trust: Trust, time: TrustedTime, signal: AbortSignal): Promise<Result<Repository>> => {
  const startMs = updateStart(time);
  return startMs.ok ? refreshed({ trust, purpose: 'update', startMs: startMs.value, signal }) : startMs;
};

/**
 * SR-12: without a clock, from anywhere, as late as it comes. What it finds may only be a repair release. Expiry is held
 * against the floor alone, since a clock that somebody set forward must not close the last way out (SR-16).
 */
export const refreshForRepair = (trust: Trust, floorMs: number, signal: AbortSignal): Promise<Result<Repository>> =>
  refreshed({ trust, purpose: 'repair', startMs: floorMs, signal });

const refreshed = async (session: Session): Promise<Result<Repository>> => {
  const root = await newestRoot(session);
  if (!root.ok) return root;
  const { roles, keys } = root.value;
  const timestamp = await newestTimestamp(session, root.value);
  if (!timestamp.ok) return timestamp;
  const snapshot = await namedSnapshot(session, root.value, timestamp.value);
  if (!snapshot.ok) return snapshot;
  const targets = await roleTargets(session, root.value, snapshot.value, { role: 'targets', roleKeys: roles.targets, keys });
  if (!targets.ok) return targets;
  return ok({ session, root: root.value, snapshot: snapshot.value, targets: targets.value });
};
