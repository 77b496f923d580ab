/**
 * A secret that opens only after a boot that its policy key approved, on this TPM, at a floor that its release stands on,
 * and only until the boot goes on (SR-07, SR-08): sealed under PolicyAuthorize, opened with the approval that came with the
 * boot image.
 */
import { approvalReference, approvedRegisters, type BootApproval, openedPhase, phaseRegister } from '#hal/core/boot-approval';
import { fixedCopy, utf8, wipe } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { bitsAbove } from '#hal/tpm/floor';
import { authorizedPolicy, comparison, policyKeyName, registersSelection } from '#hal/tpm/policy';
import { tpm2b } from '#hal/tpm/public';
import { sealedTemplate } from '#hal/tpm/templates';
import { contentOf } from '#hal/tpm/wire';
import { authorizePolicy } from './approved-policy.ts';
import { splitAreas } from './areas.ts';
import { handles } from './commands.ts';
import { encryptedSession } from './encrypted-session.ts';
import type { Esys } from './esys.ts';
import { nvIndex, persistent } from './layout.ts';
import { sealUnder, storageRootOf } from './seal.ts';
import { tpmResult } from './tpm-error.ts';
import { transientScope } from './transient.ts';

/** TPM2B_PRIVATE and TPM2B_PUBLIC, one after the other. */
export type BootSealed = Uint8Array;

/**
 * Makes the storage root first where the TPM has none yet.
 * @param key of the policy: 04‖x‖y of P-256, 65 bytes
 * @returns the sealed form, or `unavailable/tpm-failed`
 */
export const sealToBoot = (esys: Esys, secret: Uint8Array, key: Uint8Array): Promise<Result<BootSealed>> => {
  const policy = authorizedPolicy(policyKeyName(key), approvalReference);
  return tpmResult(
    storageRootOf(esys).then((parent) => sealUnder(esys, parent, sealedTemplate(policy), secret, new Uint8Array())),
  );
};

/** @returns the secret, to be wiped; or `unavailable/tpm-failed`: another TPM, another boot, another key, a later phase,
 * a floor above the release, or no floor at all */
export const unsealAtBoot = async (esys: Esys, sealed: BootSealed, approval: BootApproval): Promise<Result<Uint8Array>> => {
  const areas = splitAreas(sealed);
  if (areas === undefined) return deny('protocol', 'malformed', 'sealed key');
  const plain = await tpmResult(
    (async () => {
      const parent = await esys.handleOf(persistent.storageRoot, []);
      await using scope = await transientScope(esys);
      const object = scope.keep(await esys.load(parent, [handles.password], areas.privateArea, areas.publicArea));
      const session = scope.keep(await encryptedSession(esys, parent, 'encrypt', 'policy'));
      await esys.policyPcr(session, [], null, registersSelection(approvedRegisters));
      const floor = await esys.handleOf(nvIndex.floor, []);
      const above = tpm2b(bitsAbove(approval.floorEpoch));
      await esys.policyNv(floor, floor, session, [handles.password], above, 0, comparison.bitClear);
      await authorizePolicy(esys, session, approval, approvalReference);
      // Awaited inside the scope, so that a refusal is not left alone while the scope ends.
      return await esys.unseal(object, [session]);
    })(),
  );
  if (!plain.ok) return plain;
  const secret = fixedCopy(contentOf(plain.value));
  wipe(plain.value);
  return ok(secret);
};

/** The boot goes on: from here to the next power-on nothing opens that was sealed to it. */
export const endBootPhase = (esys: Esys): Promise<Result<unknown>> =>
  tpmResult(esys.pcrEvent(phaseRegister, [handles.password], tpm2b(utf8(openedPhase))));
