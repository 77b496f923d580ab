/** The site configuration that provisioning would write: whom the device trusts, and where they are today. */
import { toBase64 } from '#hal/core/bytes';
import { nodeCrypto } from '#hal/crypto/node';
import { type HybridPublicKey, type HybridSecretKey, hybridPublicKey } from '#hal/crypto/suites';
import { logTrustJson } from '#ota-client/transparency/log-trust';
import type { BeaconPeers } from '#sim/peers/beacon';
import type { FleetPeers } from '#sim/peers/fleet';
import { logTrustFrom } from '#sim/peers/log-keys';
import type { PeerSecrets } from '#sim/peers/secrets';
import type { UpdatePeers } from '#sim/peers/updates';
import { type VerifierPeer, verifierName } from '#sim/peers/verifier';

/** @param beacon where a Key belongs to the device */
export const siteOf = (
  verifier: VerifierPeer,
  secrets: PeerSecrets,
  { broker, command, files }: FleetPeers,
  { releases, director }: UpdatePeers,
  beacon: BeaconPeers | undefined,
): string => {
  const publicKeyOf = ({ classical, postQuantum }: HybridPublicKey) => ({
    classical: toBase64(classical),
    postQuantum: toBase64(postQuantum),
  });
  const keyOf = (secret: HybridSecretKey) => publicKeyOf(hybridPublicKey(nodeCrypto, secret));
  return JSON.stringify({
    version: 1,
    verifier: {
      name: verifierName,
      url: verifier.url,
      authority: secrets.tlsAuthority.certificate,
      keys: keyOf(secrets.verifier),
    },
    identityIssuer: keyOf(secrets.identityIssuer),
    accountService: keyOf(secrets.accountService),
    intelligenceService: keyOf(secrets.enyra),
    fleet: {
      command: {
        url: command.url,
        authority: secrets.tlsAuthority.certificate,
        keys: keyOf(secrets.command),
        sealingKey: toBase64(command.sealingKey),
      },
      broker: { host: broker.host, port: broker.port, authority: secrets.tlsAuthority.certificate },
      repository: {
        url: files.url,
        authority: secrets.tlsAuthority.certificate,
        root: toBase64(command.root),
        hardware: releases.hardware,
      },
      administrators: command.administrators.map(publicKeyOf),
      update: {
        director: { url: director.url, authority: secrets.tlsAuthority.certificate, root: toBase64(director.root) },
        releaseKeys: releases.policyOf('os').keys.map(publicKeyOf),
        repairKeys: releases.policyOf('repair').keys.map(publicKeyOf),
        log: logTrustJson(logTrustFrom(nodeCrypto, secrets.custodians)),
        trialSeconds: 6,
      },
    },
    ...(beacon?.key.ok
      ? {
          beacon: {
            link: beacon.key.value.linkPath,
            courier: { url: beacon.courier.url, authority: secrets.tlsAuthority.certificate },
          },
        }
      : {}),
    page: { port: 0 },
    postureEverySeconds: 2,
  });
};
