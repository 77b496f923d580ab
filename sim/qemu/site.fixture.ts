/** What a machine in a test is told of its peers: the least with which its programs run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBase64 } from '#hal/core/bytes';
import { nodeCrypto } from '#hal/crypto/node';
import { type HybridSecretKey, hybridPublicKey } from '#hal/crypto/suites';
import { systemRandom } from '#hal/linux/random';
import type { Clock } from '#hal/ports/clock';
import { openPeerSecrets, type PeerSecrets } from '#sim/peers/secrets';
import { verifierName } from '#sim/peers/verifier';

/** @param url of the verifier, as this machine sees it */
export const siteOf = (url: string, secrets: PeerSecrets): string => {
  const keyOf = (secret: HybridSecretKey) => {
    const { classical, postQuantum } = hybridPublicKey(nodeCrypto, secret);
    return { classical: toBase64(classical), postQuantum: toBase64(postQuantum) };
  };
  return JSON.stringify({
    version: 1,
    verifier: {
      name: verifierName,
      // The machine that runs the emulator, as its guest sees it.
      url: url.replace('127.0.0.1', '10.0.2.2'),
      authority: secrets.tlsAuthority.certificate,
      keys: keyOf(secrets.verifier),
    },
    identityIssuer: keyOf(secrets.identityIssuer),
    accountService: keyOf(secrets.accountService),
    page: { port: 0 },
    postureEverySeconds: 5,
  });
};

/** Far ends that are not there: a machine starts without anybody. */
export const lonelySite = async (clock: Clock): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-peers-'));
  try {
    return siteOf('https://127.0.0.1:1', await openPeerSecrets(folder, clock, systemRandom));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
