/** What a machine in a test is told of its peers: the least with which its programs run. */
import { toBase64 } from '#hal/core/bytes';
import { nodeCrypto } from '#hal/crypto/node';
import { type HybridSecretKey, hybridPublicKey } from '#hal/crypto/suites';
import type { PeerSecrets } from '#sim/peers/secrets';
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
