/** For tests and benches: the addon for simulators, built on demand, and what a test does first with a TPM. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unwrap } from '#hal/core/result';
import { encodeSelections } from '#hal/tpm/attest';
import { alg } from '#hal/tpm/constants';
import { encodePublic, tpm2b } from '#hal/tpm/public';
import { encodedTemplate, storageTemplate } from '#hal/tpm/templates';
import { contentOf, empty2b, noPcrs, sensitiveCreate } from '#hal/tpm/wire';
import { type EsysHandle, handles } from './commands.ts';
import type { Esys } from './esys.ts';
import { openSimulatedEsys } from './esys-sim.ts';

const root = join(import.meta.dirname, '../..');
const built = join(root, 'build/native');

export const addonPaths = { release: join(built, 'tpm.node'), sim: join(built, 'tpm-sim.node') } as const;

/**
 * Build both addons if they are not up to date; several test files do this at a time.
 * @returns undefined, or the sentence that says what is not installed: the name of a skipped suite
 */
export const buildAddons = (): string | undefined => {
  mkdirSync(built, { recursive: true });
  const command = [join(built, 'lock'), process.execPath, join(root, 'tools/build/addon.ts'), '--all'];
  const { status, stderr } = spawnSync('flock', command, { encoding: 'utf8' });
  if (status === 0) return undefined;
  if (status === 3) return stderr.trim();
  throw new Error(`the TPM addon does not build:\n${stderr}`);
};

/** A directory that is gone at the end of the scope. */
export const temporaryDirectory = (): Disposable & { readonly path: string } => {
  const path = mkdtempSync(join(tmpdir(), 'enigm-tpm-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
};

/** Power on the TPM whose state lies in `directory`, and start it. */
export const startEmbedded = async (directory: string): Promise<Esys> => {
  const esys = unwrap(await openSimulatedEsys({ addon: addonPaths.sim, embedded: directory }));
  await esys.startup(0);
  return esys;
};

export const password = [handles.password] as const;

/** TPML_PCR_SELECTION of registers in the SHA-256 bank. */
export const sha256Pcrs = (pcrs: readonly number[]): Uint8Array => encodeSelections([{ hash: alg.sha256, pcrs }]);

/** An RSA storage key: the TPM needs tens of milliseconds to make one. */
export const rsaStorageTemplate = encodePublic({
  ...storageTemplate,
  key: { type: 'rsa', symmetric: { bits: 128 }, scheme: undefined, bits: 2048, exponent: 0, modulus: new Uint8Array(256) },
});

export const createPrimary = async (
  esys: Esys,
  hierarchy: EsysHandle,
  template: Uint8Array,
): Promise<{ readonly handle: EsysHandle; readonly publicArea: Uint8Array }> => {
  const sensitive = sensitiveCreate(new Uint8Array(), new Uint8Array());
  const [handle, publicArea] = await esys.createPrimary(hierarchy, password, sensitive, tpm2b(template), empty2b, noPcrs);
  return { handle, publicArea: contentOf(publicArea) };
};

/** The attestation key of our devices: ECC P-256, restricted, endorsement hierarchy (SR-05). */
export const createAttestationKey = (esys: Esys) => createPrimary(esys, handles.endorsement, encodedTemplate.attestation);
