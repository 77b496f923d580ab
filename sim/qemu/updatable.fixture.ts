/** A machine that takes releases of this run, with a tool at its serial line that speaks to its hands as the mind does. */
import { writeReleaseTrust } from '#agents/hands/release-trust';
import { releaseTrustPath } from '#agents/programs/layout';
import { type FactoryRelease, stateRelease } from '#agents/release/build';
import { toBase64 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { systemRandom } from '#hal/linux/random';
import type { BuiltImage } from '#sim/image/build';
import { slotImage } from '#sim/image/slot-image';
import { approversFrom } from '#sim/peers/approvers';
import { writeSite } from './device.ts';
import { equipSlots } from './equip.ts';
import { guestTool } from './guest-tool.fixture.ts';
import { buildTestImage, clock, type TestDevice, testDevice } from './machine.fixture.ts';
import { lonelySite } from './site.ts';

export interface UpdatableMachine {
  readonly image: BuiltImage;
  readonly factory: FactoryRelease;
  /** The same image under the next number: what the tool installs. */
  readonly next: FactoryRelease;
  /** Equipped, and off. */
  device(): Promise<TestDevice>;
}

/** As the tool says it. */
export interface SaidSlot {
  readonly state: string;
  readonly counter?: number;
  readonly triesLeft: number;
  readonly reason?: string;
}
export interface SaidStatus {
  readonly running: string | number;
  readonly runningRoot: string;
  readonly a: SaidSlot;
  readonly b: SaidSlot;
}

const hardware = 'simulated';

/** @param folder where its image is built, and must stay */
export const updatableMachine = async (folder: string): Promise<UpdatableMachine> => {
  const approvers = approversFrom(nodeCrypto, systemRandom.bytes(32));
  const quorum = { keys: approvers.publicKeysOf('os'), threshold: 2 };
  const trust = writeReleaseTrust({ hardware, quorums: [quorum], soakMs: 0 });
  const image = await buildTestImage(folder, [], new Map([[releaseTrustPath.slice(1), trust]]));
  const slot = slotImage(image);
  const release = async (counter: number): Promise<FactoryRelease> =>
    unwrap(
      await stateRelease(
        { id: `release-${counter}`, counter, floorEpoch: 0, hardware, image: slot, signers: approvers.secretsOf('os') },
        { ...quorum, crypto: nodeCrypto, hardware },
      ),
    );
  const [factory, next] = [await release(1), await release(2)];
  const constants = { RELEASE_STATEMENT: toBase64(next.statement), RELEASE_BYTES: String(slot.length) };
  return {
    ...{ image, factory, next },
    async device() {
      const made = await testDevice(undefined, folder);
      unwrap(await equipSlots(made.device, factory));
      writeSite(made.device, await lonelySite(clock), await guestTool('hands', constants));
      return made;
    },
  };
};
