/** What machines of a level start: images that take releases of the level's administration, each of them a release. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeReleaseTrust } from '#agents/hands/release-trust';
import { releaseTrustPath, repairTrustPath } from '#agents/programs/layout';
import { writeRepairTrust } from '#agents/recovery/repair-trust';
import type { ReferenceSet } from '#attestation/references';
import { deny, ok } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import type { BuiltImage } from '#sim/image/build';
import { imageReferences } from '#sim/image/references';
import { slotImage } from '#sim/image/slot-image';
import { approversFrom } from '#sim/peers/approvers';
import { logTrustFrom } from '#sim/peers/log-keys';
import { factoryPlan, factoryTrust, releasePolicies } from '#sim/peers/release-plans';
import type { PeerSecrets } from '#sim/peers/secrets';
import type { Images } from './level.ts';

export interface MachineImages extends Images {
  /** Of the image that devices leave the factory with: their disks grow from it, so it stays as it is. */
  readonly factory: string;
}

/** Builds the image of a machine into a folder, with more files of its root by path, for a release that stands on this floor. */
export type BuildMachineImage = (folder: string, more: ReadonlyMap<string, string>, floorEpoch: number) => Promise<BuiltImage>;

/** So large in every image, so that nothing behind it lies elsewhere in the next. */
const markBytes = 128;

/** @param directory where they are kept. @param others what devices of other bodies measure */
export const machineImages = (
  directory: string,
  { custodians }: Pick<PeerSecrets, 'custodians'>,
  build: BuildMachineImage,
  others: Images['referencesOf'],
): MachineImages => {
  const factory = join(directory, 'factory');
  const referencesPath = (name: string) => join(directory, `${name}.references.json`);
  const policyOf = releasePolicies(approversFrom(nodeCrypto, custodians));
  const trust = writeReleaseTrust(factoryTrust(policyOf, logTrustFrom(nodeCrypto, custodians)));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return {
    factory,
    async imageOf({ id, counter, floorEpoch = 0, changes }, root) {
      if (changes !== undefined) return deny('unavailable', 'not-supported', 'other files in the image of a machine');
      const folder = id === factoryPlan.id ? factory : join(directory, 'next');
      const mark = `id=${id}\ncounter=${counter}\nfloor=${floorEpoch}\n`.padEnd(markBytes);
      const built = await build(
        folder,
        new Map([
          [releaseTrustPath.slice(1), trust],
          [repairTrustPath.slice(1), writeRepairTrust({ ...policyOf('repair'), root })],
          ['etc/enigm/release', mark],
        ]),
        floorEpoch,
      );
      writeFileSync(referencesPath(id), JSON.stringify(imageReferences(id, built.uki, built.keys)));
      if (folder !== factory) rmSync(folder, { recursive: true });
      return ok(slotImage(built));
    },
    referencesOf: (name, verityRoot) => [
      ...others(name, verityRoot),
      ...(existsSync(referencesPath(name)) ? [JSON.parse(readFileSync(referencesPath(name), 'utf8')) as ReferenceSet] : []),
    ],
  };
};
