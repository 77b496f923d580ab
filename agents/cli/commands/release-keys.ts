/** How the machine of a custodian gets at a key: the options of the commands, PINs, the token and the TPM. */
import { installed } from '#agents/package/places';
import { type KeyPlaces, readKey } from '#agents/release/keys';
import { deny, ok, type Result } from '#hal/core/result';
import { pkcs11Token } from '#hal/linux/signing-token';
import { tpmVault } from '#hal/native/pin-vault';
import type { Signer } from '#ota-client/repository/custodian';
import { readGiven } from '../given-file.ts';

export const pinText = 'with the PINs, one a line: of the token that the key lies in, then of the TPM that it is sealed by';
export const tpmText = 'of the machine that the key is sealed by';
export const tpmDevice = '/dev/tpmrm0';

export interface KeyOptions {
  readonly pin?: string;
  readonly tpm: string;
}

/** Tokens and TPM by the program and the addon that `./enigmctl` names. */
export const placesOf = ({ pin: file, tpm }: KeyOptions): KeyPlaces => {
  // Once: it may be a pipe.
  let given: Result<readonly Uint8Array[]> | undefined;
  const pinAt = (line: number, holder: string): Result<Uint8Array> => {
    if (file === undefined) return deny('identity', 'pin-refused', `the key ${holder}: give --pin`);
    given ??= linesOf(file);
    if (!given.ok) return given;
    const pin = given.value[line];
    return pin === undefined ? deny('identity', 'pin-refused', `the key ${holder}: no line ${line + 1} in ${file}`) : ok(pin);
  };
  return {
    token(key) {
      const pin = pinAt(0, 'lies in a token');
      const program = process.env['ENIGM_TOKEN'] ?? '/usr/lib/enigm/enigm-token';
      return pin.ok ? ok(pkcs11Token({ program, pin: pin.value }, key)) : pin;
    },
    vault(hasToken) {
      const pin = pinAt(hasToken ? 1 : 0, 'is sealed by a TPM');
      const addon = process.env['ENIGM_ADDON'] ?? installed.addon;
      return pin.ok ? ok(tpmVault({ addon, device: tpm }, pin.value)) : pin;
    },
  };
};

const lineFeed = 0x0a;
/** A token's and a TPM's. */
const maxPins = 2;

/** Of a file; what follows its last line feed is no line where nothing does. */
const linesOf = (file: string): Result<readonly Uint8Array[]> => {
  const bytes = readGiven(file);
  if (!bytes.ok) return bytes;
  const lines: Uint8Array[] = [];
  for (let rest = bytes.value; rest.length > 0 && lines.length < maxPins; ) {
    const end = rest.indexOf(lineFeed);
    lines.push(rest.subarray(0, end === -1 ? rest.length : end));
    rest = rest.subarray(end === -1 ? rest.length : end + 1);
  }
  return ok(lines);
};

/** Of the publishing machine. */
export const readSigner = (path: string, options: KeyOptions): Result<Signer> => {
  const key = readKey(path, placesOf(options));
  return key.ok ? ok(key.value.signer) : key;
};
