/**
 * The custodians of the simulated administration: each a person or a machine with two keys of its own. Their secrets
 * come out of one seed of the peers' directory, since they exist for a simulator alone.
 */
import { hkdfSync } from 'node:crypto';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type HybridPublicKey, type HybridSecretKey, hybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import { type Quorum, type Signer, signerFromSecret } from '#ota-client/repository/custodian';
import type { ClassQuorums, TopQuorums } from '#ota-client/repository/publish';
import { type BundleClass, bundleClasses } from '#ota-client/trust/release';

export interface Approvers {
  readonly top: TopQuorums;
  readonly classes: ClassQuorums;
  /** Everybody who signs the top of the repository and its online roles. */
  readonly publisher: readonly Signer[];
  /** All of them: for the first version of everything. */
  readonly everybody: readonly Signer[];
  /** The two who approve what is of a class. */
  of(name: BundleClass): readonly [Signer, Signer];
  /** The keys of those two, for envelopes: the statement of a release is one. */
  secretsOf(name: BundleClass): readonly [HybridSecretKey, HybridSecretKey];
  publicKeysOf(name: BundleClass): readonly HybridPublicKey[];
  /** Who orders of the life of devices: people of their own, and two of them (SR-19). */
  readonly administrators: readonly [HybridSecretKey, HybridSecretKey];
  /** The director: its own repository, with the owners of the other one at its root. */
  readonly director: { readonly top: TopQuorums; readonly signer: Signer; readonly owners: readonly Signer[] };
}

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];

const partOf = (seed: Uint8Array, label: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', seed, new Uint8Array(), label, 32));

/** Approves how far the floor of simulated devices rises (SR-08): a scalar of P-256, 32 bytes. */
export const policyKeyFrom = (seed: Uint8Array): Uint8Array => partOf(seed, 'policy-key');

export const approversFrom = (crypto: CryptoBackend, seed: Uint8Array): Approvers => {
  const part = (label: string) => partOf(seed, label);
  const secret = (name: string): HybridSecretKey => ({
    suite,
    classical: part(`${name} classical`),
    postQuantum: part(`${name} post-quantum`),
  });
  const signer = (name: string): Signer => signerFromSecret(crypto, name, secret(name));
  const pairs = new Map(bundleClasses.map((name) => [name, [signer(`${name}-first`), signer(`${name}-second`)] as const]));
  const both = (custodians: readonly Signer[]): Quorum => ({ custodians, threshold: 2 });
  const alone = (custodian: Signer): Quorum => ({ custodians: [custodian], threshold: 1 });
  const secretsOf = (name: BundleClass) => [secret(`${name}-first`), secret(`${name}-second`)] as const;
  const owners = [signer('owner-first'), signer('owner-second')];
  const machine = signer('publisher');
  const director = signer('director');
  return {
    top: { root: both(owners), targets: both(owners), snapshot: alone(machine), timestamp: alone(machine) },
    classes: Object.fromEntries([...pairs].map(([name, pair]) => [name, both(pair)])) as ClassQuorums,
    publisher: [...owners, machine],
    everybody: [...owners, machine, ...[...pairs.values()].flat()],
    of: (name) => pairs.get(name) as readonly [Signer, Signer],
    secretsOf,
    publicKeysOf: (name) => secretsOf(name).map((key) => hybridPublicKey(crypto, key)),
    administrators: [secret('administrator-first'), secret('administrator-second')],
    director: {
      top: { root: both(owners), targets: alone(director), snapshot: alone(director), timestamp: alone(director) },
      signer: director,
      owners,
    },
  };
};
