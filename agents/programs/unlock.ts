/**
 * Started once by the first root, out of the verified one: opens the data partition, and ends the phase of the boot in
 * which that can be done.
 *
 * usage: node unlock.cjs DEVICE
 * Says `made`, `opened` or `closed`, and to the kernel's log why. Ends with 1 where the phase could not be ended: a machine
 * that goes on then would let later programs open what this one did.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Opened, openData, openInPhase } from '#agents/data/open';
import { installed } from '#agents/package/places';
import { kernelLogPath } from '#agents/supervisor/kernel-log';
import { readApproval } from '#hal/core/boot-approval';
import { parseFloorApprovals } from '#hal/core/floor-approval';
import { attempt, deny, type Result } from '#hal/core/result';
import { luksVolume } from '#hal/linux/luks-volume';
import { systemRandom } from '#hal/linux/random';
import { endBootPhase, sealToBoot, unsealAtBoot } from '#hal/native/boot-seal';
import { type Esys, openEsys } from '#hal/native/esys';
import { esysFloor } from '#hal/native/tpm-floor';
import { floorApprovalsPath } from './layout.ts';

/** Not an option, so that nothing can name another (SR-04). */
const tpmDevice = '/dev/tpmrm0';
/** Where the first root shows what systemd's stub took out of the boot image (systemd-stub(7)). */
const approvalFiles = { key: '/run/tpm2-pcr-public-key.pem', signature: '/run/tpm2-pcr-signature.json' } as const;
const places = { name: 'data', mountPoint: installed.directory } as const;
/** Longer records the kernel refuses (`LOG_LINE_MAX`, printk_ringbuffer); what it does not take ends no start. */
const maxTextCharacters = 600;
/** Level KERN_ERR, which a quiet kernel shows on the console too. */
const say = (text: string) =>
  attempt(
    () => writeFileSync(kernelLogPath, `<3>enigm: ${text.slice(0, maxTextCharacters)}\n`),
    (cause) => deny('unavailable', 'storage-failed', cause),
  );

const openWith = async (esys: Esys, device: string): Promise<Result<Opened>> => {
  const files = attempt(
    () => ({ key: readFileSync(approvalFiles.key, 'utf8'), signature: readFileSync(approvalFiles.signature, 'utf8') }),
    () => deny('integrity', 'data-closed', 'nobody approved this boot image'),
  );
  if (!files.ok) return files;
  const approval = readApproval(files.value);
  if (!approval.ok) return approval;
  const seal = {
    prepare: () => defineFloor(esys),
    seal: (secret: Uint8Array) => sealToBoot(esys, secret, approval.value.key),
    unseal: (sealed: Uint8Array) => unsealAtBoot(esys, sealed, approval.value),
  };
  return openData(luksVolume({ device, ...places }), seal, systemRandom);
};

/** What is sealed opens at a floor alone. A TPM that was cleared has none, and gets none: its floor would be 0 (SR-08). */
const defineFloor = async (esys: Esys): Promise<Result<void>> => {
  const json = attempt(
    () => readFileSync(floorApprovalsPath, 'utf8'),
    () => deny('integrity', 'data-closed', 'nobody approved a floor'),
  );
  if (!json.ok) return json;
  const approvals = parseFloorApprovals(json.value);
  return approvals.ok ? esysFloor(esys, approvals.value).define() : approvals;
};

/** @returns whether the boot may go on */
const main = async (device: string): Promise<boolean> => {
  const esys = await openEsys({ addon: installed.addon, device: tpmDevice });
  if (!esys.ok) {
    say(`the data of this device stays closed: ${esys.fault.reason}`);
    process.stdout.write('closed');
    return true;
  }
  const { opened, ended } = await openInPhase(
    () => openWith(esys.value, device),
    () => endBootPhase(esys.value),
  );
  await esys.value.close();
  if (!ended.ok) {
    say(`the phase of the boot does not end: ${ended.fault.detail}`);
    return false;
  }
  if (!opened.ok) say(`the data of this device stays closed: ${opened.fault.detail}`);
  process.stdout.write(opened.ok ? opened.value : 'closed');
  return true;
};

void main(process.argv[2] ?? '').then((mayGoOn) => {
  process.exitCode = mayGoOn ? 0 : 1;
});
