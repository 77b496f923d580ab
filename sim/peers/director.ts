/**
 * The director as a peer: it asks for a result that is for it alone and fresh, and answers one device with one release
 * or none. What it says counts only where the image repository says the same.
 */
import { join } from 'node:path';
import { folderFiles } from '#agents/release/folder-files';
import { directorCallBytes, rolloutDigest } from '#agents/update/asking';
import { type DirectorMethods, directorMethods, directorParty } from '#agents/update/director-methods';
import { type AttestationResult, verifyResult } from '#attestation/result';
import { equalBytes, toHex } from '#hal/core/bytes';
import { decodeMessage } from '#hal/core/message';
import { deny, done, ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridPublicKey } from '#hal/crypto/suites';
import { serveHttps } from '#hal/linux/https-door';
import type { Clock } from '#hal/ports/clock';
import { dispatcher } from '#hal/remote/dispatcher';
import { type Director, direct } from '#ota-client/repository/director';
import { metadataPath } from '#ota-client/repository/files';
import { lifetimes, publishRoot } from '#ota-client/repository/publish';
import type { DeviceReport, DirectorCall, DirectorQuestion, DirectorTargets, RolloutPlaces } from '#protos/gen/types';
import { approversFrom } from './approvers.ts';
import { certifyServer } from './authority.ts';
import type { Releases } from './releases.ts';
import type { PeerSecrets } from './secrets.ts';
import { verifierName } from './verifier.ts';

export interface DirectorPeer {
  readonly url: string;
  /** The root that goes into the image of a device. */
  readonly root: Uint8Array;
  /** What it answered, oldest first: handle in hexadecimal, and the targets that it named. */
  readonly answered: readonly DirectorAnswer[];
  /** What a device reported to its administration: a release that it left counts against that release. */
  note(handle: string, report: DeviceReport): Promise<Result<void>>;
  close(): Promise<void>;
}

export interface DirectorAnswer {
  readonly handle: string;
  readonly offered: readonly string[];
}

export interface DirectorOptions {
  readonly directory: string;
  readonly secrets: Pick<PeerSecrets, 'custodians' | 'verifier' | 'tlsAuthority'>;
  readonly clock: Clock;
  readonly releases: Pick<Releases, 'offers' | 'note'>;
}

const crypto = nodeCrypto;
const maxRemembered = 4096;
const maxAnswerBytes = 1024 * 1024;
const none = new Uint8Array();

export const startDirector = async (options: DirectorOptions): Promise<Result<DirectorPeer>> => {
  const { secrets, clock } = options;
  const opened = await openDirector(options);
  if (!opened.ok) return opened;
  const { root, answered, targets } = opened.value;
  const door = await serveHttps({
    dispatcher: dispatcher<DirectorMethods>(directorMethods, { 'director.targets': targets }),
    ...(await certifyServer(secrets.tlsAuthority, clock)),
    host: '127.0.0.1',
    port: 0,
  });
  return ok({
    url: `https://127.0.0.1:${door.port}/v1`,
    root,
    answered,
    note: options.releases.note,
    close: () => door.close(),
  });
};

export interface OpenedDirector extends Pick<DirectorPeer, 'root' | 'answered'> {
  /**
   * @returns metadata for this device; or `attestation/result-signature`, `result-audience`, `nonce-mismatch`,
   * `binding-mismatch` (buckets that its evidence did not commit to), `not-affirming`, `stale`, `integrity/signature-invalid`
   */
  targets(call: DirectorCall): Promise<Result<DirectorTargets>>;
}

/** The director without its door. */
export const openDirector = async ({
  directory,
  secrets,
  clock,
  releases,
}: Omit<DirectorOptions, 'clock' | 'secrets'> & {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly secrets: Pick<PeerSecrets, 'custodians' | 'verifier'>;
}): Promise<Result<OpenedDirector>> => {
  const { director: own } = approversFrom(crypto, secrets.custodians);
  const verifierKeys = hybridPublicKey(crypto, secrets.verifier);
  const files = folderFiles(join(directory, 'director'));
  const director: Director = {
    ...{ crypto, files, top: own.top, lifetimes, signers: [own.signer], clock },
    offers: async () => releases.offers(),
  };
  const rooted = await firstRoot(director, own.owners, clock);
  if (!rooted.ok) return rooted;
  const answered: DirectorAnswer[] = [];
  const places = placeMemory();

  const targets = async (call: DirectorCall): Promise<Result<DirectorTargets>> => {
    const asked = checkCall(call, verifierKeys);
    if (!asked.ok) return asked;
    const { result, question } = asked.value;
    const answer = await direct(director, {
      result: {
        status: result.status,
        issuedMs: result.issuedAtSeconds * 1000,
        expiresMs: result.expiresAtSeconds * 1000,
        nonce: result.deviceNonce,
      },
      hardwareId: question.hardware,
      releaseCounter: question.releaseCounter,
      floorEpoch: question.floorEpoch,
      buckets: places.of(toHex(result.handle), question.places),
    });
    if (!answer.ok) return answer;
    const named = [...answer.value].map(([path, bytes]) => ({ name: path.slice(metadataPath('').length), bytes }));
    if (named.reduce((total, { bytes }) => total + bytes.length, 0) > maxAnswerBytes) return deny('protocol', 'too-large');
    answered.push({ handle: toHex(result.handle), offered: offeredIn(named) });
    if (answered.length > maxRemembered) answered.shift();
    return ok({ files: named });
  };
  return ok({ root: rooted.value, answered, targets });
};

interface CheckedCall {
  readonly result: AttestationResult;
  readonly question: DirectorQuestion;
}

/** Who asks, and that it is that device which asks. What its state is worth is the director's own question. */
const checkCall = (call: DirectorCall, verifierKeys: Parameters<typeof verifyResult>[2]): Result<CheckedCall> => {
  const result = verifyResult(crypto, call.result, verifierKeys);
  if (!result.ok) return result;
  const { verifier, relyingParty, confirmationKey, deviceNonce } = result.value;
  if (verifier !== verifierName || relyingParty !== directorParty) return deny('attestation', 'result-audience');
  if (!crypto.ed25519.verify(confirmationKey, directorCallBytes(call), call.signature))
    return deny('integrity', 'signature-invalid', 'question');
  const question = decodeMessage('DirectorQuestion', call.question);
  if (!question.ok) return question;
  if (!equalBytes(question.value.nonce, deviceNonce)) return deny('attestation', 'nonce-mismatch');
  const committed = checkPlaces(question.value.places, result.value);
  return committed.ok ? ok({ result: result.value, question: question.value }) : committed;
};

/** SR-21: buckets count where the evidence committed to exactly these. */
const checkPlaces = (places: RolloutPlaces, { rollout }: AttestationResult): Result<void> => {
  if (places.places.length === 0 && rollout === undefined) return done;
  return equalBytes(rolloutDigest(places), rollout ?? none) ? done : deny('attestation', 'binding-mismatch', 'rollout');
};

/** The first bucket that a handle named for a release stays: who asks again does not draw again. */
const placeMemory = () => {
  const first = new Map<string, number>();
  return {
    of(handle: string, { places }: RolloutPlaces): ReadonlyMap<string, number> {
      return new Map(
        places.map(({ release, bucket }) => {
          const key = `${handle} ${release}`;
          const kept = first.get(key) ?? bucket;
          first.delete(key);
          first.set(key, kept);
          const [oldest] = first.keys();
          if (first.size > maxRemembered && oldest !== undefined) first.delete(oldest);
          return [release, kept];
        }),
      );
    },
  };
};

const firstRoot = async (
  director: Director,
  owners: Parameters<typeof publishRoot>[2],
  clock: Pick<Clock, 'nowMs'>,
): Promise<Result<Uint8Array>> => {
  const path = metadataPath('1.root.json');
  const published = await director.files.get(path);
  if (!published.ok) return published;
  if (published.value !== undefined) return ok(published.value);
  const made = await publishRoot(director, director.top, owners, clock.nowMs());
  if (!made.ok) return made;
  const root = await director.files.get(path);
  return root.ok ? ok(root.value ?? none) : root;
};

const offeredIn = (files: DirectorTargets['files']): readonly string[] => {
  const file = files.find(({ name }) => name.endsWith('.targets.json'));
  const { signed } = JSON.parse(Buffer.from(file?.bytes ?? none).toString('utf8')) as {
    readonly signed: { readonly targets: Readonly<Record<string, unknown>> };
  };
  return Object.keys(signed.targets);
};
