/**
 * The floor in the TPM (SR-08): an index of bits that the policy key's approvals alone can set. What it is and why:
 * `#hal/tpm/floor`.
 *
 * Limit: while the owner's authority of a TPM is open, whoever reaches it can remove the index and make it again at 0.
 */

import { equalBytes } from '#hal/core/bytes';
import type { FloorApprovals } from '#hal/core/floor-approval';
import { inTurn } from '#hal/core/in-turn';
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
  /** @returns what there is; a TPM that is not ours, or not our floor, is a fault */
  const find = async (): Promise<Result<'absent' | 'unwritten' | 'written'>> => {
    const there = await tpmResult(exists(esys, nvIndex.floor));
    if (!there.ok) return there;
    if (!there.value) return ok('absent');
    const name = await tpmResult(withIndex(esys, (index) => esys.nameOf(index)));
    if (!name.ok) return name;
    const content = contentOf(name.value);
    if (equalBytes(content, floorName(key, true))) return ok('written');
    return equalBytes(content, floorName(key, false)) ? ok('unwritten') : deny('integrity', 'floor-mismatch');
  };

  /** The one command that the policy key approved for this epoch; to 0 it is the first write. */
  const setBits = (epoch: number, signature: Uint8Array): Promise<Result<void>> =>
    tpmResult(
      withIndex(esys, async (index) => {
        await using scope = await transientScope(esys);
        const { none } = handles;
        const session = scope.keep(await esys.startAuthSession(none, none, [], null, policySession, noSymmetric, alg.sha256));
        await esys.policyCpHash(session, [], tpm2b(floorWriteHash(key, epoch)));
        await authorizePolicy(esys, session, { key, policy: floorWritePolicy(key, epoch), signature }, floorReference);
        await esys.nvSetBits(index, index, [session], floorMask(epoch));
      }),
    );

  const read = async (): Promise<Result<number | undefined>> => {
    const attributes = await tpmResult(permanentAttributes(esys));
    if (!attributes.ok) return attributes;
    if (attributes.value === undefined) return deny('unavailable', 'tpm-failed', 'no permanent attributes');
    if ((attributes.value & permanent.inLockout) !== 0) return deny('unavailable', 'tpm-locked-out');
    const found = await find();
    if (!found.ok) return found;
    if (found.value !== 'written') return ok(undefined);
    const mask = await tpmResult(readMask(esys));
    if (!mask.ok) return mask;
    const epoch = mask.value === undefined ? undefined : epochOfMask(mask.value);
    return epoch === undefined ? deny('integrity', 'floor-mismatch', `bits ${mask.value?.toString(16)}`) : ok(epoch);
  };
  const define = async (): Promise<Result<void>> => {
    const before = await find();
    if (!before.ok) return before;
    if (before.value === 'written') return done;
    if (before.value === 'absent') {
      const made = await tpmResult(defineIndex(esys, floorArea(key, false)));
      if (!made.ok) return made;
    }
    const [first] = signatures;
    return first === undefined ? deny('policy', 'floor-unapproved', 'epoch 0') : setBits(0, first);
  };
  const raise = async (epoch: number): Promise<Result<void>> => {
    const signature = epoch >= 1 ? signatures[epoch] : undefined;
    if (signature === undefined) return deny('policy', 'floor-unapproved', `epoch ${epoch}`);
    const found = await find();
    if (!found.ok) return found;
    return found.value === 'written' ? setBits(epoch, signature) : deny('unavailable', 'floor-missing');
  };
  const turn = inTurn();
  return { read: () => turn(read), define: () => turn(define), raise: (epoch) => turn(() => raise(epoch)) };
};

const defineIndex = async (esys: Esys, area: Uint8Array): Promise<void> =>
  esys.closeHandle(await esys.nvDefineSpace(handles.owner, password, empty2b, tpm2b(area)));

const readMask = (esys: Esys): Promise<bigint | undefined> =>
  withIndex(esys, async (index) => {
    const storageRoot = await esys.handleOf(persistent.storageRoot, []);
    await using scope = await transientScope(esys);
    const session = scope.keep(await encryptedSession(esys, storageRoot, 'encrypt'));
    const bytes = contentOf(await esys.nvRead(index, index, [session], floorBytes, 0));
    if (bytes.length !== floorBytes) return undefined;
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(0);
  });

/**
 * Closed after each use, so that ESYS asks the TPM anew what the index is: it may be gone, or another. ESYS has one object
 * for a handle, whoever asks for it, so nobody else may be using this one meanwhile.
 */
const withIndex = async <T>(esys: Esys, use: (index: EsysHandle) => Promise<T>): Promise<T> => {
  const index = await esys.handleOf(nvIndex.floor, []);
  try {
    return await use(index);
  } finally {
    await esys.closeHandle(index);
  }
};

/** TPM_CAP_TPM_PROPERTIES and TPM_PT_PERMANENT (Part 2 §6.12, §6.13); inLockout is bit 9 of TPMA_PERMANENT (§8.6). */
const permanent = { capability: 6, property: 0x200, inLockout: 1 << 9 } as const;

/**
 * The index itself is out of the lock's reach; a TPM that is locked out cannot prove who asks it, so nothing is built on it.
 * @returns TPMA_PERMANENT; undefined where the TPM tells of no such property
 */
const permanentAttributes = async (esys: Esys): Promise<number | undefined> => {
  const [, data] = await esys.getCapability([], permanent.capability, permanent.property, 1);
  // TPMS_CAPABILITY_DATA of one property: capability(4) ‖ count(4) ‖ property(4) ‖ value(4).
  return data.length < 16 ? undefined : new DataView(data.buffer, data.byteOffset, data.length).getUint32(12);
};
