import { describe, expect, test } from 'vitest';
import { toHex, utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import type { Esys } from '#hal/native/esys';
import { openSimulatedEsys } from '#hal/native/esys-sim';
import { nvIndex } from '#hal/native/layout';
import { addonPaths, buildAddons, startEmbedded, temporaryDirectory } from '#hal/native/testing';
import { readNv } from '#hal/native/tpm';
import { encodeSelections } from '#hal/tpm/attest';
import { alg } from '#hal/tpm/constants';
import { manufactureTpm } from './manufacture.ts';

const missing = buildAddons();

const hashes = [alg.sha1, alg.sha256, alg.sha384, alg.sha512];
/** A TPM that is asked for a register of each answers so: of a bank that it has not, the register is gone. */
const banks = (...present: readonly number[]): string =>
  toHex(encodeSelections(hashes.map((hash) => ({ hash, pcrs: present.includes(hash) ? [0] : [] }))));
const banksOf = async (esys: Esys): Promise<string> =>
  toHex((await esys.pcrRead([], encodeSelections(hashes.map((hash) => ({ hash, pcrs: [0] })))))[1]);

describe.skipIf(missing !== undefined)(`the maker of a TPM ${missing ?? ''}`, () => {
  test('gives it the bank that is quoted, and no other, from its next reset on', async () => {
    using directory = temporaryDirectory();
    let esys = await startEmbedded(directory.path);
    expect(await banksOf(esys)).not.toBe(banks(alg.sha256));

    unwrap(await manufactureTpm(esys, async () => utf8('certificate')));
    await esys.shutdown([], 0);
    await esys.close();
    esys = unwrap(await openSimulatedEsys({ addon: addonPaths.sim, embedded: directory.path }));
    await esys.startup(0);

    expect(await banksOf(esys)).toBe(banks(alg.sha256));
    expect(toHex((await readNv(esys, nvIndex.endorsementCertificate)) ?? new Uint8Array())).toBe(toHex(utf8('certificate')));
    await esys.close();
  });

  test('leaves one alone that was made before', async () => {
    using directory = temporaryDirectory();
    const esys = await startEmbedded(directory.path);
    unwrap(await manufactureTpm(esys, async () => utf8('certificate')));
    unwrap(await manufactureTpm(esys, () => Promise.reject(new Error('asked again'))));
    await esys.close();
  });
});
