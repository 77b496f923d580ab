/** The reference verifier: the real service behind HTTPS, with a place where a hostile path can change what passes. */
import { join } from 'node:path';
import type { ReferenceSet } from '#attestation/references';
import { sqliteVerifierStore, type VerifierStore } from '#attestation/service/store';
import { verifierService } from '#attestation/service/verifier';
import { type VerifierMethods, verifierMethods } from '#attestation/verifier-methods';
import { nodeCrypto } from '#hal/crypto/node';
import { type HttpsDoor, serveHttps } from '#hal/linux/https-door';
import type { Clock } from '#hal/ports/clock';
import type { Random } from '#hal/ports/random';
import { dispatcher } from '#hal/remote/dispatcher';
import type { Handlers } from '#hal/remote/methods';
import { certificateDer, certifyServer } from './authority.ts';
import type { PeerSecrets } from './secrets.ts';

export const verifierName = 'reference-verifier';

/** Changes requests on their way to the verifier; what it returns is what the verifier gets. */
export interface HostilePath {
  readonly onAttestFinish?: (evidence: Uint8Array) => Uint8Array;
}

export interface VerifierPeer {
  readonly url: string;
  readonly store: VerifierStore;
  /** From now on requests go through this path. */
  takePath(path: HostilePath): void;
  close(): Promise<void>;
}

export interface VerifierPeerOptions {
  readonly directory: string;
  readonly secrets: PeerSecrets;
  readonly clock: Clock;
  readonly random: Random;
  /** Asked at each appraisal: releases are published while it runs. */
  readonly references: () => readonly ReferenceSet[];
  readonly requiresSecureBoot: boolean;
}

export const startVerifier = async ({
  directory,
  secrets,
  clock,
  random,
  references,
  requiresSecureBoot,
}: VerifierPeerOptions): Promise<VerifierPeer> => {
  const store = sqliteVerifierStore(join(directory, 'verifier.db'));
  const service = verifierService({
    name: verifierName,
    crypto: nodeCrypto,
    clock,
    random,
    store,
    secrets: secrets.verifier,
    roots: [{ certificate: certificateDer(secrets.tpmMaker.certificate), tpmClass: 'software', profile: 'tcg' }],
    intermediates: [],
    references,
    policy: { name: 'reference-policy-1', requiredPcrs: [0, 1, 2, 3, 4, 5, 6, 7, 11, 12], requiresSecureBoot },
    tenant: 'test',
    endorsementSalt: secrets.endorsementSalt,
  });
  let path: HostilePath = {};
  const handlers: Handlers<VerifierMethods> = {
    ...service,
    'attest.finish': ({ session, evidence }, signal) =>
      service['attest.finish']({ session, evidence: path.onAttestFinish?.(evidence) ?? evidence }, signal),
  };
  const server: HttpsDoor = await serveHttps({
    dispatcher: dispatcher(verifierMethods, handlers),
    ...(await certifyServer(secrets.tlsAuthority, clock)),
    host: '127.0.0.1',
    port: 0,
  });
  return {
    url: `https://127.0.0.1:${server.port}/v1`,
    store,
    takePath: (next) => {
      path = next;
    },
    close: async () => {
      await server.close();
      store.close();
    },
  };
};
