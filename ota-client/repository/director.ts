/**
 * The director (Uptane Standard 2.1.0, "Director repository"): a small online repository made anew for each device that asks, naming at
 * most one release, for an hour at most. It asks for a fresh affirming result first, and signs the nonce of that result,
 * so that the answer is worth nothing to another device or later. What it names must be in the image repository as well.
 */
import { toHex } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import { releaseOf } from '#ota-client/trust/release';
import { isInRollout } from '#ota-client/trust/rollout-bucket';
import { metaFileOf, signMetadata, snapshotJson, type TargetEntry, targetsJson, timestampJson } from './compose.ts';
import type { Signer } from './custodian.ts';
import { metadataPath } from './files.ts';
import type { Rooted } from './publish.ts';

/** A release in rollout, for the hardware that its entry names. */
export interface Offer {
  readonly releaseId: string;
  readonly permille: number;
  readonly entry: TargetEntry;
}

export interface Director extends Rooted {
  readonly signers: readonly Signer[];
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly offers: () => Promise<Result<readonly Offer[]>>;
}

/** What the verifier concluded of the device that asks, and what its evidence committed to. */
export interface DirectorRequest {
  readonly result: {
    readonly status: string;
    readonly issuedMs: number;
    readonly expiresMs: number;
    /** The nonce that this result answers. */
    readonly nonce: Uint8Array;
  };
  readonly hardwareId: string;
  readonly releaseCounter: number;
  readonly floorEpoch: number;
  /** SR-21: by release id. A device outside these is offered only what is for all. */
  readonly buckets: ReadonlyMap<string, number>;
}

/** SR-22: how old a result may be on which something is decided. */
const maxResultAgeMs = 10 * 60_000;
const answerLifetimeMs = 30 * 60_000;

/**
 * @returns metadata for this device by file path, without the roots, which are static: of no target where there is
 * nothing for it; or `attestation/not-affirming`, `attestation/stale`, and a signer's fault
 */
export const direct = async (director: Director, request: DirectorRequest): Promise<Result<ReadonlyMap<string, Uint8Array>>> => {
  const { crypto, top, signers, clock } = director;
  const nowMs = clock.nowMs();
  const fresh = checkResult(request, nowMs);
  if (!fresh.ok) return fresh;
  const offers = await director.offers();
  if (!offers.ok) return offers;
  const offer = bestOffer(offers.value, request);
  const nonceHash = toHex(crypto.hash('sha256', request.result.nonce));
  const entries = offer === undefined ? [] : [{ ...offer.entry, custom: { ...offer.entry.custom, nonceHash } }];

  // One version for all three, from the clock: it rises for each device without the director knowing devices.
  const version = nowMs;
  const expiresMs = nowMs + answerLifetimeMs;
  const targets = await signMetadata(crypto, targetsJson(crypto, version, expiresMs, entries), signers, top.targets);
  if (!targets.ok) return targets;
  const meta = new Map([['targets.json', metaFileOf(crypto, version, targets.value)]]);
  const snapshot = await signMetadata(crypto, snapshotJson(version, expiresMs, meta), signers, top.snapshot);
  if (!snapshot.ok) return snapshot;
  const described = timestampJson(version, expiresMs, metaFileOf(crypto, version, snapshot.value));
  const timestamp = await signMetadata(crypto, described, signers, top.timestamp);
  if (!timestamp.ok) return timestamp;
  return ok(
    new Map([
      [metadataPath(`${version}.targets.json`), targets.value],
      [metadataPath(`${version}.snapshot.json`), snapshot.value],
      [metadataPath('timestamp.json'), timestamp.value],
    ]),
  );
};

const checkResult = ({ result }: DirectorRequest, nowMs: number): Result<void> => {
  if (result.status !== 'affirming') return deny('attestation', 'not-affirming', result.status);
  return nowMs < result.expiresMs && nowMs - result.issuedMs <= maxResultAgeMs ? done : deny('attestation', 'stale');
};

/** The newest release that this device could install and whose rollout has reached it. */
const bestOffer = (offers: readonly Offer[], request: DirectorRequest): Offer | undefined => {
  const suitable = offers.flatMap((offer) => {
    const release = releaseOf({ length: offer.entry.length, hashes: new Map(), custom: offer.entry.custom });
    if (!release.ok) return [];
    const { releaseCounter, floorEpoch = 0, hw } = release.value;
    const bucket = request.buckets.get(offer.releaseId);
    const isReached = offer.permille >= 1000 || (bucket !== undefined && isInRollout(bucket, offer.permille));
    const isSuitable =
      isReached &&
      hw?.includes(request.hardwareId) === true &&
      releaseCounter > request.releaseCounter &&
      floorEpoch >= request.floorEpoch;
    return isSuitable ? [{ offer, releaseCounter }] : [];
  });
  return suitable.toSorted((a, b) => b.releaseCounter - a.releaseCounter)[0]?.offer;
};
