/** The newest bundle of a class, out of the repository that the mouth fetches from, verified here (SR-09). */

import { createHash } from 'node:crypto';
import type { ExpiryTime } from '#agents/attest/expiry-time';
import type { ReadRange } from '#agents/mind/far-ends';
import { concat } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { DurableStore } from '#hal/ports/durable-store';
import { maxRangeBytes } from '#hal/ports/http-range';
import { eligibleBundle } from '#ota-client/trust/bundle';
import { deviceTrust } from '#ota-client/trust/device-trust';
import { type Repository, refresh, refreshForRepair } from '#ota-client/trust/refresh';
import type { Fetch } from '#ota-client/trust/session';
import { checkTargetFile, targetFileName } from '#ota-client/trust/target-file';
import { decodeBundle, type ManagedClass, type SignedBundle } from './bundles.ts';

export interface BundleSource {
  /** Verifies the repository as it is now; bundles are then taken out of it. */
  refresh(signal: AbortSignal): Promise<Result<BundleShelf>>;
}

export interface BundleShelf {
  /** @returns the bundle, undefined where the device has the newest; or a fault of `eligibleBundle` or of the fetch */
  newest(kind: ManagedClass, installedVersion: number, signal: AbortSignal): Promise<Result<SignedBundle | undefined>>;
}

export interface SourceParts {
  readonly crypto: CryptoBackend;
  readonly read: ReadRange;
  readonly store: Pick<DurableStore, 'get' | 'put'>;
  readonly pinnedRoot: Uint8Array;
  readonly time: ExpiryTime;
  /** Told of a time that the repository's signers say has come, where the device knows none. */
  readonly witness: (signedMs: number) => void;
  readonly hardwareId: string;
}

/** A snapshot is signed for about this long: it was signed at some time after its expiry less this. */
const snapshotLifeMs = 14 * 86_400_000;
/** A bundle is a few settings; what needs more room is no bundle. */
const maxBundleBytes = 256 * 1024;

export const bundleSource = (parts: SourceParts): BundleSource => {
  const { crypto, read, store, pinnedRoot, time, witness, hardwareId } = parts;
  const trust = deviceTrust({
    crypto,
    fetch: fetchFrom(read),
    store: { get: (name) => store.get(`metadata-${name}`), put: (name, bytes) => store.put(`metadata-${name}`, bytes) },
    pinnedRoot,
  });
  return {
    async refresh(signal) {
      let present = await time.asked();
      if (present.nowMs === undefined) {
        // No bundle without the time; but a device that was off for long needs a second signer to have one again (SR-16).
        const seen = await refreshForRepair(trust, present.floorMs, signal);
        if (seen.ok) witness(seen.value.snapshot.expires - snapshotLifeMs);
        present = await time.asked();
      }
      const repository = await refresh(trust, present, signal);
      if (!repository.ok) return repository;
      return ok({
        async newest(kind, installedVersion, targetSignal) {
          const installed = { hardwareId, releaseCounter: installedVersion, floorEpoch: 0 };
          const bundle = await eligibleBundle(repository.value, kind, `${kind}/current`, installed);
          if (!bundle.ok) return bundle.fault.reason === 'release-current' ? ok(undefined) : bundle;
          const { target } = bundle.value;
          if (target.file.length > maxBundleBytes) return deny('protocol', 'too-large', kind);
          const path = `targets/${targetFileName(repository.value, target)}`;
          const fetched = await readWhole(read, path, target.file.length, targetSignal);
          if (!fetched.ok) return fetched;
          const payload = checkTargetFile(crypto, target.file, fetched.value);
          if (!payload.ok) return payload;
          const decoded = decodeBundle({ kind, payload: payload.value });
          if (!decoded.ok) return decoded;
          // The counter that was judged and the version that is applied are one number.
          if (decoded.value.value.version !== bundle.value.release.releaseCounter)
            return deny('integrity', 'target-mismatch', `version of ${kind}`);
          return ok({ kind, payload: payload.value, signer: signerOf(repository.value, kind) });
        },
      });
    },
  };
};

/** The metadata of the repository as the trust core fetches it. */
export const fetchFrom =
  (read: ReadRange): Fetch =>
  (name, maxBytes, signal) =>
    readWhole(read, `metadata/${name}`, maxBytes, signal);

/** @param mostBytes a longer file is `protocol/too-large` */
export const readWhole = async (
  read: ReadRange,
  path: string,
  mostBytes: number,
  signal: AbortSignal,
): Promise<Result<Uint8Array>> => {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const part = await read(path, length, Math.min(maxRangeBytes, mostBytes + 1 - length), signal);
    if (!part.ok) return part;
    parts.push(part.value);
    length += part.value.length;
    if (length > mostBytes) return deny('protocol', 'too-large', path);
    if (part.value.length < maxRangeBytes) return ok(concat(...parts));
  }
};

/** The same for the same keys of a role: what an audit record names as the actor. */
const signerOf = ({ targets }: Repository, kind: ManagedClass): Uint8Array => {
  const keyIds = targets.delegations?.roles.find(({ name }) => name === kind)?.keyids ?? [];
  return createHash('sha256')
    .update([...keyIds].sort().join(' '))
    .digest()
    .subarray(0, 16);
};
