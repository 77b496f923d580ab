/** From a plan to a release that can be published: image, hash tree, statement and payload, signed by the custodians of its class. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ReleaseTrust } from '#agents/hands/release-trust';
import { type BuiltRelease, buildRelease, type FactoryRelease, stateRelease } from '#agents/release/build';
import { releasePath } from '#agents/update/manifest';
import { utf8 } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import { sha256 } from '#ota-client/payload/segment-index';
import { type TargetEntry, targetEntry } from '#ota-client/repository/compose';
import type { ReleasePolicy } from '#ota-client/slots/statement';
import type { LogTrust } from '#ota-client/transparency/log-trust';
import { repairPath } from '#ota-client/trust/repair';
import type { Approvers } from './approvers.ts';
import { type BuildImage, deviceTree } from './image-build.ts';

export type ReleaseClass = 'os' | 'repair';

export interface ReleasePlan {
  readonly id: string;
  readonly class?: ReleaseClass;
  /** One line of numbers for both classes: a repair release is newer than what it repairs. */
  readonly counter: number;
  readonly floorEpoch?: number;
  /** What differs from the tree of the build; without content a file is left out. */
  readonly changes?: ReadonlyMap<string, Uint8Array | undefined>;
  /** Simulator mark: its trial does not pass the health gate. */
  readonly isUnhealthy?: boolean;
  /** Releases from which devices come; that of the factory. */
  readonly bases?: readonly FactoryRelease[];
  /** How many of the two custodians sign the statement. */
  readonly statementSigners?: 1 | 2;
}

export interface BuiltPlan extends BuiltRelease {
  readonly class: ReleaseClass;
  readonly entry: TargetEntry;
}

/**
 * What a slot holds that has this release: as the devices of a level start it.
 * @param root of the repository that they take releases from
 */
export type ImageOfPlan = (plan: ReleasePlan, root: Uint8Array) => Promise<Result<Uint8Array>>;

export interface Workshop {
  readonly approvers: Pick<Approvers, 'secretsOf'>;
  readonly policyOf: (name: ReleaseClass) => ReleasePolicy;
  readonly imageOf: ImageOfPlan;
  /** Of the image repository. */
  readonly root: Uint8Array;
}

/** The one hardware class of the simulator. */
export const simulatedHardware = 'simulated';
export const factoryPlan = { id: 'release-1', counter: 1, floorEpoch: 0 } as const;

const crypto = nodeCrypto;
/** Of the file system, the same for all: a release differs from the one before where its files do. */
const fileSystemUuid = sha256(utf8('enigm root file system')).slice(0, 16);

/** How hands open a statement: keys of one class count for that class alone (SR-03). */
export const releasePolicies =
  (approvers: Pick<Approvers, 'publicKeysOf'>) =>
  (name: ReleaseClass): ReleasePolicy => ({
    ...{ crypto, threshold: 2, hardware: simulatedHardware },
    keys: approvers.publicKeysOf(name),
  });

/** Long enough to be seen, short enough for a day. */
const soakMs = 1_000;

/** Whose releases the hands of a device take from its factory on. */
export const factoryTrust = (policyOf: (name: ReleaseClass) => ReleasePolicy, log: LogTrust): ReleaseTrust => ({
  ...{ hardware: simulatedHardware, soakMs, log },
  quorums: [policyOf('os'), { ...policyOf('repair'), isRepair: true }],
});

/**
 * The tree of the build with what differs, as one file system.
 * @param programs folder of the device's programs
 * @returns an image, or the faults of `deviceTree` and of the tool for images
 */
export const treeImages =
  (programs: string, buildImage: BuildImage): ImageOfPlan =>
  async ({ id, counter, floorEpoch = 0, isUnhealthy = false, changes = [] }) => {
    const tree = deviceTree({ programs, id, counter, floorEpoch, isUnhealthy });
    if (!tree.ok) return tree;
    const files = new Map<string, Uint8Array | undefined>([...tree.value, ...changes]);
    const kept = new Map([...files].flatMap(([path, content]) => (content === undefined ? [] : [[path, content] as const])));
    return buildImage(kept, { uuid: fileSystemUuid });
  };

/**
 * @param bases releases from which devices come, where the plan names none
 * @returns nothing is uploaded yet; or the faults of `imageOf` and of `buildRelease`
 */
export const buildPlan = async (
  { approvers, policyOf, imageOf, root }: Workshop,
  plan: ReleasePlan,
  bases: readonly FactoryRelease[],
): Promise<Result<BuiltPlan>> => {
  const { id, class: name = 'os', counter, floorEpoch = 0, statementSigners = 2 } = plan;
  const image = await imageOf(plan, root);
  if (!image.ok) return image;
  const built = await buildRelease(
    {
      ...{ id, counter, floorEpoch, hardware: simulatedHardware, image: image.value },
      bases: (plan.bases ?? bases).map((base) => base.image),
      signers: approvers.secretsOf(name).slice(0, statementSigners),
    },
    { ...policyOf(name), threshold: statementSigners },
  );
  if (!built.ok) return built;
  const path = name === 'os' ? releasePath(id) : repairPath(simulatedHardware);
  const custom = { releaseCounter: counter, floorEpoch, hw: [simulatedHardware] };
  return ok({ ...built.value, class: name, entry: targetEntry(crypto, path, built.value.manifest, custom) });
};

/** Kept: a device that left the factory goes on with what it left with, whatever is built since. */
export const factoryRelease = async (
  directory: string,
  { approvers, policyOf, imageOf, root }: Workshop,
): Promise<Result<FactoryRelease>> => {
  const path = join(directory, 'factory.image');
  const kept = readIfThere(path);
  if (!kept.ok) return kept;
  const image = kept.value === undefined ? await imageOf(factoryPlan, root) : ok(new Uint8Array(kept.value));
  if (!image.ok) return image;
  const stated = await stateRelease(
    { ...factoryPlan, hardware: simulatedHardware, image: image.value, signers: approvers.secretsOf('os') },
    policyOf('os'),
  );
  if (!stated.ok || kept.value !== undefined) return stated;
  mkdirSync(directory, { recursive: true });
  const stored = writeAtomically(path, stated.value.image);
  return stored.ok ? stated : stored;
};
