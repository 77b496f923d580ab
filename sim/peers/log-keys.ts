/**
 * Who keeps the simulated log of releases, and who watches it: a keeper and two witnesses, each with keys of its own. They
 * come out of the peers' seed as the custodians do, since they exist for a simulator alone.
 */
import { hkdfSync } from 'node:crypto';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type HybridSecretKey, hybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import type { LogTrust } from '#ota-client/transparency/log-trust';

export interface LogSecrets {
  readonly keeper: HybridSecretKey;
  readonly witnesses: readonly { readonly name: string; readonly secret: HybridSecretKey }[];
}

export const logOrigin = 'releases.enigm.example/log';
const witnessNames = ['witness-a.enigm.example', 'witness-b.enigm.example'];
const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];

export const logSecretsFrom = (seed: Uint8Array): LogSecrets => {
  const part = (label: string) => new Uint8Array(hkdfSync('sha256', seed, new Uint8Array(), label, 32));
  const secret = (name: string): HybridSecretKey => ({
    suite,
    classical: part(`${name} classical`),
    postQuantum: part(`${name} post-quantum`),
  });
  return { keeper: secret('log'), witnesses: witnessNames.map((name) => ({ name, secret: secret(name) })) };
};

/** What devices of the simulator are told: no release without a proof. */
export const logTrustFrom = (crypto: CryptoBackend, seed: Uint8Array): LogTrust => {
  const { keeper, witnesses } = logSecretsFrom(seed);
  return {
    ...{ policy: 'require', origin: logOrigin, key: hybridPublicKey(crypto, keeper), threshold: 2 },
    witnesses: witnesses.map(({ name, secret }) => ({ name, key: hybridPublicKey(crypto, secret) })),
  };
};
