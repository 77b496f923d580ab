/** What the commands of a publisher's office have in common. */
import { type OpenToken, readKey } from '#agents/release/keys';
import { type OfficeParts, readRoots } from '#agents/release/office';
import { deny, ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxClock } from '#hal/linux/clock';
import { pkcs11Token } from '#hal/linux/signing-token';
import type { Signer } from '#ota-client/repository/custodian';
import type { ReleaseRecord } from '#ota-client/repository/release-record';
import { readGiven } from '../given-file.ts';

export const pinText = 'with the PIN in its first line, where the key lies in a token';

export const officeParts = (): OfficeParts => ({ crypto: nodeCrypto, clock: linuxClock() });

const lineFeed = 0x0a;

/** Keys in tokens, by the program that `./enigmctl` names; the PIN is the first line of a file. */
export const tokensWith =
  (pinFile: string | undefined): OpenToken =>
  (key) => {
    if (pinFile === undefined) return deny('identity', 'pin-refused', 'the key lies in a token: give --pin');
    const bytes = readGiven(pinFile);
    if (!bytes.ok) return bytes;
    const end = bytes.value.indexOf(lineFeed);
    const pin = bytes.value.subarray(0, end === -1 ? bytes.value.length : end);
    return ok(pkcs11Token({ program: process.env['ENIGM_TOKEN'] ?? '/usr/lib/enigm/enigm-token', pin }, key));
  };

/** Of the publishing machine. */
export const readSigner = (path: string, pinFile: string | undefined): Result<Signer> => {
  const key = readKey(path, tokensWith(pinFile));
  return key.ok ? ok(key.value.signer) : key;
};

/** Hash trees that the verifier knows; none where no file is given, which is right for all that is no image. */
export const liveRootsIn = (path: string | undefined): Result<readonly string[]> =>
  path === undefined ? ok([]) : readRoots(path);

export const shownRelease = ({ id, state, permille, reviewers, failedOn }: ReleaseRecord) => ({
  text: `${id} is ${state}${state === 'rolling' ? `, offered to ${permille} of 1000` : ''}`,
  json: { id, state, permille, reviewers, failures: failedOn.length },
});
