/** What custodians were asked, and what came back, until there is enough of it: `requests/ID/request`, and a file for each custodian. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import { type Custodian, isSignedBy, type Quorum } from '#ota-client/repository/custodian';
import { messagesOf, type SigningItem } from '#ota-client/repository/signing-item';
import {
  decodeRequest,
  decodeSignatures,
  encodeRequest,
  requestDigest,
  type SignatureFile,
  type SigningRequest,
} from '#ota-client/repository/signing-request';

export interface KeptRequest {
  readonly request: SigningRequest;
  /** As the custodians got it. */
  readonly bytes: Uint8Array;
  readonly given: SignatureFile['signatures'];
}

const placeOf = (folder: string, id: string): string => join(folder, 'requests', id);
/** Not `.json`, as the files of custodians are: a custodian may be called anything. */
const requestFile = 'request';
const signaturesEnd = '.json';

/** What came back for an earlier request of this release is forgotten: it was for other bytes. @returns the request's bytes */
export const keepRequest = (folder: string, request: SigningRequest): Result<Uint8Array> => {
  const place = placeOf(folder, request.release);
  forgetRequest(folder, request.release);
  mkdirSync(place, { recursive: true });
  const bytes = encodeRequest(request);
  const stored = writeAtomically(join(place, requestFile), bytes, 0o644);
  return stored.ok ? ok(bytes) : stored;
};

export const forgetRequest = (folder: string, id: string): void => rmSync(placeOf(folder, id), { recursive: true, force: true });

/** @returns the request with all that was accepted for it, or `unavailable/not-found` */
export const keptRequest = (folder: string, id: string): Result<KeptRequest> => {
  const place = placeOf(folder, id);
  const bytes = readIfThere(join(place, requestFile));
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return deny('unavailable', 'not-found', `no request for ${id}`);
  const request = decodeRequest(bytes.value);
  if (!request.ok) return request;
  const given: SignatureFile['signatures'][number][] = [];
  // What a cut left of a file that was being written has another end, and never was one.
  for (const name of readdirSync(place).toSorted()) {
    if (!name.endsWith(signaturesEnd)) continue;
    const read = readIfThere(join(place, name));
    if (!read.ok) return read;
    const decoded = decodeSignatures(read.value ?? new Uint8Array());
    if (!decoded.ok) return decoded;
    given.push(...decoded.value.signatures);
  }
  return ok({ request: request.value, bytes: bytes.value, given });
};

export const hasRequest = (folder: string, id: string): boolean => existsSync(join(placeOf(folder, id), requestFile));

/** Who must sign an item: each of these quorums. A root that changes owners has two, that of the old ones and its own. */
export type QuorumsOf = (item: SigningItem) => readonly Quorum[];

/**
 * Keeps the signatures of one custodian, each verified with both halves by the keys that the office has of that name. What
 * the custodian signed beyond that counts for nothing.
 * @returns nothing; or `integrity/target-mismatch` for another request, `role-mismatch` where nothing of it counts,
 * `signature-invalid`, and the faults of reading
 */
export const keepSignatures = (
  crypto: CryptoBackend,
  folder: string,
  { request, bytes }: KeptRequest,
  quorumsOf: QuorumsOf,
  file: Uint8Array,
): Result<void> => {
  const decoded = decodeSignatures(file);
  if (!decoded.ok) return decoded;
  const { request: requested, signatures } = decoded.value;
  if (requested !== requestDigest(crypto, bytes)) return deny('integrity', 'target-mismatch', 'signatures for another request');
  const [first] = signatures;
  if (first === undefined) return deny('integrity', 'signature-missing', 'a file without signatures');
  let counting = 0;
  for (const signature of signatures) {
    const item = request.items[signature.item];
    if (item === undefined) return deny('protocol', 'field-invalid', `item ${signature.item}`);
    const custodian = custodiansOf(quorumsOf(item)).find(({ name }) => name === signature.name);
    if (custodian === undefined) continue;
    if (!isSignedBy(crypto, custodian, messagesOf(crypto, item), signature))
      return deny('integrity', 'signature-invalid', signature.name);
    counting += 1;
  }
  if (counting === 0) return deny('integrity', 'role-mismatch', `${first.name} signs for nothing of it`);
  return writeAtomically(join(placeOf(folder, request.release), `${first.name}${signaturesEnd}`), file, 0o644);
};

const custodiansOf = (quorums: readonly Quorum[]): readonly Custodian[] => quorums.flatMap(({ custodians }) => custodians);

/** Who can still sign; empty where every item has as many as it needs. */
export const waitingFor = ({ request, given }: KeptRequest, quorumsOf: QuorumsOf): readonly string[] => {
  const open = request.items.flatMap((item, at) =>
    quorumsOf(item).flatMap(({ custodians, threshold }) => {
      const signed = custodians.map(({ name }) => name).filter((name) => signersOf(given, at).includes(name));
      return signed.length >= threshold ? [] : custodians.map(({ name }) => name).filter((name) => !signed.includes(name));
    }),
  );
  return [...new Set(open)];
};

/** The signatures of one item. */
export const signaturesOf = ({ request, given }: KeptRequest, item: SigningItem): SignatureFile['signatures'] => {
  const at = request.items.indexOf(item);
  return given.filter((signature) => signature.item === at);
};

const signersOf = (given: SignatureFile['signatures'], at: number): readonly string[] => [
  ...new Set(given.filter(({ item }) => item === at).map(({ name }) => name)),
];
