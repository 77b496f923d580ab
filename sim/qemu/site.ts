/** What a machine is told of its peers where nobody needs all of them: the least with which its programs run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fleetHpke } from '#agents/fleet/sealed';
import { toBase64 } from '#hal/core/bytes';
import { nodeCrypto } from '#hal/crypto/node';
import { type HybridSecretKey, hybridPublicKey } from '#hal/crypto/suites';
import { systemRandom } from '#hal/linux/random';
import type { Clock } from '#hal/ports/clock';
import type { Releases } from '#sim/peers/releases';
import { openPeerSecrets, type PeerSecrets } from '#sim/peers/secrets';
import { verifierName } from '#sim/peers/verifier';
import { hostAddress } from './arguments.ts';

/** @param url of the verifier, as this machine sees it. @param fleet as the site has it; without, the device is in none */
export const siteOf = (url: string, secrets: PeerSecrets, fleet?: unknown): string =>
  JSON.stringify({
    version: 1,
    verifier: {
      name: verifierName,
      url: asGuestSees(url),
      authority: secrets.tlsAuthority.certificate,
      keys: keyOf(secrets.verifier),
    },
    identityIssuer: keyOf(secrets.identityIssuer),
    accountService: keyOf(secrets.accountService),
    ...(fleet === undefined ? {} : { fleet }),
    page: { port: 0 },
    postureEverySeconds: 5,
  });

/** A repository, and nobody else. @param url of it, as this machine sees it */
export const repositorySite = (url: string, secrets: PeerSecrets, { root, hardware }: Releases): string => {
  const authority = secrets.tlsAuthority.certificate;
  const sealingKey = toBase64(fleetHpke(nodeCrypto, systemRandom).kem.publicKey(secrets.commandSealing));
  return siteOf(nowhere, secrets, {
    command: { url: nowhere, authority, keys: keyOf(secrets.command), sealingKey },
    broker: { host: hostAddress, port: 1, authority },
    repository: { url: asGuestSees(url), authority, root: toBase64(root), hardware },
  });
};

/** Far ends that are not there: a machine starts without anybody. */
export const lonelySite = async (clock: Clock): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-peers-'));
  try {
    return siteOf(nowhere, await openPeerSecrets(folder, clock, systemRandom));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const nowhere = 'https://127.0.0.1:1';
/** The machine that runs the emulator has another address for its guest. */
const asGuestSees = (url: string): string => url.replace('127.0.0.1', hostAddress);

const keyOf = (secret: HybridSecretKey) => {
  const { classical, postQuantum } = hybridPublicKey(nodeCrypto, secret);
  return { classical: toBase64(classical), postQuantum: toBase64(postQuantum) };
};
