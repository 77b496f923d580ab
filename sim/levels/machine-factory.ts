/** Where machines of a level come from: an image that takes releases of the level's administration, and is the first of them. */
import { writeReleaseTrust } from '#agents/hands/release-trust';
import { releaseTrustPath } from '#agents/programs/layout';
import { type FactoryRelease, stateRelease } from '#agents/release/build';
import type { ReferenceSet } from '#attestation/references';
import { ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import type { BuiltImage } from '#sim/image/build';
import { imageReferences } from '#sim/image/references';
import { slotImage } from '#sim/image/slot-image';
import { approversFrom } from '#sim/peers/approvers';
import { factoryPlan, factoryTrust, releasePolicies, simulatedHardware } from '#sim/peers/release-plans';
import type { PeerSecrets } from '#sim/peers/secrets';

export interface MachineFactory {
  /** Folder of the image. */
  readonly image: string;
  readonly release: FactoryRelease;
  readonly references: readonly ReferenceSet[];
}

/** Builds the image of a machine into a folder, with more files of its root by path. */
export type BuildMachineImage = (folder: string, more: ReadonlyMap<string, string>) => Promise<BuiltImage>;

/** @returns the factory, or the faults of `stateRelease` */
export const machineFactory = async (
  folder: string,
  { custodians }: Pick<PeerSecrets, 'custodians'>,
  build: BuildMachineImage,
): Promise<Result<MachineFactory>> => {
  const approvers = approversFrom(nodeCrypto, custodians);
  const policyOf = releasePolicies(approvers);
  const trust = writeReleaseTrust(factoryTrust(policyOf));
  const built = await build(folder, new Map([[releaseTrustPath.slice(1), trust]]));
  const release = stateRelease(
    { ...factoryPlan, hardware: simulatedHardware, image: slotImage(built), signers: approvers.secretsOf('os') },
    policyOf('os'),
  );
  const references = [imageReferences(factoryPlan.id, built.uki, built.keys)];
  return release.ok ? ok({ image: folder, release: release.value, references }) : release;
};
