/**
 * What the policy key approved of a floor (SR-08), as it lies in the verified root of a release: one signature for each
 * epoch from 0, the first write, to the release's own. A release brings no approval above itself, so nobody who runs it,
 * were he root, can raise the floor over it and leave a device that starts nothing.
 */
import { toBase64 } from './bytes.ts';
import { base64, decodeJson, integer, list, object } from './config.ts';
import { deny, ok, type Result } from './result.ts';

export interface FloorApprovals {
  /** P-256 point 04‖x‖y, 65 bytes: the policy key of this class of machines. */
  readonly key: Uint8Array;
  /** By epoch, at least that of 0: ECDSA with SHA-256, r‖s, 64 bytes each. */
  readonly signatures: readonly Uint8Array[];
}

/** Epochs 0 to 64. */
const maxSignatures = 65;
const uncompressed = 4;
const decoder = object({ version: integer(1, 1), key: base64(65), signatures: list(base64(64), maxSignatures) });

/** @returns the approvals, or `protocol/config-invalid` naming the path; whether one holds is the TPM's answer */
export const parseFloorApprovals = (json: string): Result<FloorApprovals> => {
  const decoded = decodeJson(json, decoder);
  if (!decoded.ok) return decoded;
  const { key, signatures } = decoded.value;
  if (key[0] !== uncompressed) return deny('protocol', 'config-invalid', 'key: expected an uncompressed point');
  if (signatures.length === 0) return deny('protocol', 'config-invalid', 'signatures: expected at least one');
  return ok({ key, signatures });
};

/** So large whatever the epoch, so that in an image nothing behind it lies elsewhere than in the one before. */
const fileBytes = 8192;

export const writeFloorApprovals = ({ key, signatures }: FloorApprovals): string =>
  JSON.stringify({ version: 1, key: toBase64(key), signatures: signatures.map((signature) => toBase64(signature)) }).padEnd(
    fileBytes,
  );
