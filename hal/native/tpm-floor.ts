/**
 * The floor in the TPM (SR-08): an index of bits that the policy key's approvals alone can set. What it is and why:
 * `#hal/tpm/floor`.
 *
 * Limit: while the owner's authority of a TPM is open, whoever reaches it can remove the index and make it again at 0.
 */

import { equalBytes } from '#hal/core/bytes';
import type { FloorApprovals } from '#hal/core/floor-approval';
import { deny, done, ok, type Result } from '#hal/core/result';
import { alg } from '#hal/tpm/constants';
import {
  epochOfMask,
  floorArea,
  floorBytes,
  floorMask,
  floorName,
  floorReference,
  floorWriteHash,
  floorWritePolicy,
} from '#hal/tpm/floor';
import { tpm2b } from '#hal/tpm/public';
import { contentOf, empty2b, noSymmetric } from '#hal/tpm/wire';
import { authorizePolicy } from './approved-policy.ts';
import { type EsysHandle, handles } from './commands.ts';
import { encryptedSession } from './encrypted-session.ts';
import type { Esys } from './esys.ts';
import { nvIndex, persistent } from './layout.ts';
import { exists } from './persistent-key.ts';
import { tpmResult } from './tpm-error.ts';
import { transientScope } from './transient.ts';

export interface TpmFloor {
  /**
   * Over a salted session, so that nobody between us and the TPM answers in its place.
   * @returns the epoch, 0 to 64; undefined where there is no index, or none that was ever written; `integrity/floor-mismatch`
   *   where there is another, `unavailable/tpm-locked-out`, `unavailable/tpm-missing`, `unavailable/tpm-failed`
   */
  read(): Promise<Result<number | undefined>>;
  /** Makes the index and writes it for the first time; may be cut and repeated. @returns nothing, or `resource/tpm-full` and as `read` */
  define(): Promise<Result<void>>;
  /** To this epoch, however many there are between; a lower one changes nothing. @returns nothing, `policy/floor-unapproved`, or as `read` */
  raise(epoch: number): Promise<Result<void>>;
}

const password = [handles.password] as const;
/** TPM_SE_POLICY, Part 2 §6.11. */
const policySession = 1;

export const esysFloor = (esys: Esys, { key, signatures }: FloorApprovals): TpmFloor => {
  /** @returns the index and whether it was ever written; undefined where there is none */
  const find = async (): Promise<Result<{ readonly index: EsysHandle; readonly isWritten: boolean } | undefined>> => {
    const there = await tpmResult(exists(esys, nvIndex.floor));
    if (!there.ok) return there;
    if (!there.value) return ok(undefined);
    const found = await tpmResult(
      (async () => {
        const index = await esys.handleOf(nvIndex.floor, []);
        return { index, name: contentOf(await esys.nameOf(index)) };
      })(),
    );
    if (!found.ok) return found;
    const { index, name } = found.value;
    if (equalBytes(name, floorName(key, true))) return ok({ index, isWritten: true });
    return equalBytes(name, floorName(key, false)) ? ok({ index, isWritten: false }) : deny('integrity', 'floor-mismatch');
  };

  /** The one command that the policy key approved for this epoch; to 0 it is the first write. */
  const setBits = (index: EsysHandle, epoch: number, signature: Uint8Array): Promise<Result<void>> =>
    tpmResult(
      (async () => {
        await using scope = await transientScope(esys);
        const { none } = handles;
        const session = scope.keep(await esys.startAuthSession(none, none, [], null, policySession, noSymmetric, alg.sha256));
        await esys.policyCpHash(session, [], tpm2b(floorWriteHash(key, epoch)));
        await authorizePolicy(esys, session, { key, policy: floorWritePolicy(key, epoch), signature }, floorReference);
        await esys.nvSetBits(index, index, [session], floorMask(epoch));
      })(),
    );

  return {
    async read() {
      const locked = await tpmResult(isLockedOut(esys));
      if (!locked.ok) return locked;
      if (locked.value) return deny('unavailable', 'tpm-locked-out');
      const found = await find();
      if (!found.ok) return found;
      if (found.value?.isWritten !== true) return ok(undefined);
      const mask = await tpmResult(readMask(esys, found.value.index));
      if (!mask.ok) return mask;
      const epoch = epochOfMask(mask.value);
      return epoch === undefined ? deny('integrity', 'floor-mismatch', `bits ${mask.value.toString(16)}`) : ok(epoch);
    },
    async define() {
      const before = await find();
      if (!before.ok) return before;
      if (before.value?.isWritten === true) return done;
      if (before.value === undefined) {
        const area = tpm2b(floorArea(key, false));
        const made = await tpmResult(esys.nvDefineSpace(handles.owner, password, empty2b, area));
        if (!made.ok) return made;
      }
      const found = await find();
      const [first] = signatures;
      if (!found.ok) return found;
      if (found.value === undefined || first === undefined) return deny('unavailable', 'floor-missing');
      return setBits(found.value.index, 0, first);
    },
    async raise(epoch) {
      const signature = epoch >= 1 ? signatures[epoch] : undefined;
      if (signature === undefined) return deny('policy', 'floor-unapproved', `epoch ${epoch}`);
      const found = await find();
      if (!found.ok) return found;
      return found.value?.isWritten === true
        ? setBits(found.value.index, epoch, signature)
        : deny('unavailable', 'floor-missing');
    },
  };
};

const readMask = async (esys: Esys, index: EsysHandle): Promise<bigint> => {
  const storageRoot = await esys.handleOf(persistent.storageRoot, []);
  await using scope = await transientScope(esys);
  const session = scope.keep(await encryptedSession(esys, storageRoot, 'encrypt'));
  const bytes = contentOf(await esys.nvRead(index, index, [session], floorBytes, 0));
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(0);
};

/** TPM_CAP_TPM_PROPERTIES and TPM_PT_PERMANENT (Part 2 §6.12, §6.13); inLockout is bit 9 of TPMA_PERMANENT (§8.6). */
const permanent = { capability: 6, property: 0x200, inLockout: 1 << 9 } as const;

/** The index itself is out of the lock's reach; a TPM that is locked out cannot prove who asks it, so nothing is built on it. */
const isLockedOut = async (esys: Esys): Promise<boolean> => {
  const [, data] = await esys.getCapability([], permanent.capability, permanent.property, 1);
  // TPMS_CAPABILITY_DATA of one property: capability(4) ‖ count(4) ‖ property(4) ‖ value(4).
  const value = new DataView(data.buffer, data.byteOffset, data.length).getUint32(12);
  return (value & permanent.inLockout) !== 0;
};
