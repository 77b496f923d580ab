/**
 * Keys of the reference far ends, made once and kept in the peers' directory. They exist for a simulator alone, so they
 * lie there in clear.
 */
import { join } from 'node:path';
import { fromBase64, toBase64, utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { type HybridSecretKey, hybridSignatureSuites } from '#hal/crypto/suites';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import type { Clock } from '#hal/ports/clock';
import type { Random } from '#hal/ports/random';
import { type Authority, newAuthority } from './authority.ts';

export interface PeerSecrets {
  readonly verifier: HybridSecretKey;
  readonly identityIssuer: HybridSecretKey;
  readonly accountService: HybridSecretKey;
  readonly enyra: HybridSecretKey;
  readonly endorsementSalt: Uint8Array;
  /** Command signs what it tells devices, and opens what they tell it. */
  readonly command: HybridSecretKey;
  readonly commandSealing: Uint8Array;
  /** Everybody who signs in the repositories comes out of this. */
  readonly custodians: Uint8Array;
  /** The person of the day: 16 bytes. */
  readonly subject: Uint8Array;
  readonly tpmMaker: Authority;
  readonly tlsAuthority: Authority;
  /** Certifies the clients of the message broker. */
  readonly fleetAuthority: Authority;
}

interface Stored {
  readonly seeds: Record<string, string>;
  readonly tpmMaker: Authority;
  readonly tlsAuthority: Authority;
  readonly fleetAuthority: Authority;
}

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const seedBytes = {
  verifierClassical: 32,
  verifierPostQuantum: 32,
  issuerClassical: 32,
  issuerPostQuantum: 32,
  accountClassical: 32,
  accountPostQuantum: 32,
  enyraClassical: 32,
  enyraPostQuantum: 32,
  endorsementSalt: 32,
  commandClassical: 32,
  commandPostQuantum: 32,
  commandSealing: 32,
  custodians: 32,
  subject: 16,
} as const;

export const openPeerSecrets = async (directory: string, clock: Clock, random: Random): Promise<PeerSecrets> => {
  const path = join(directory, 'secrets.json');
  const read = unwrap(readIfThere(path));
  const stored: Stored =
    read === undefined ? await newSecrets(clock, random) : (JSON.parse(Buffer.from(read).toString('utf8')) as Stored);
  if (read === undefined) unwrap(writeAtomically(path, utf8(JSON.stringify(stored))));
  const seed = (name: keyof typeof seedBytes): Uint8Array => {
    const bytes = fromBase64(stored.seeds[name] ?? '');
    if (bytes?.length !== seedBytes[name])
      throw new Error(`${path}: ${name} is missing; remove the peers' directory and start anew`);
    return bytes;
  };
  const { tpmMaker, tlsAuthority, fleetAuthority } = stored;
  if (fleetAuthority === undefined)
    throw new Error(`${path} is of an earlier version; remove the peers' directory and start anew`);
  return {
    verifier: { suite, classical: seed('verifierClassical'), postQuantum: seed('verifierPostQuantum') },
    identityIssuer: { suite, classical: seed('issuerClassical'), postQuantum: seed('issuerPostQuantum') },
    accountService: { suite, classical: seed('accountClassical'), postQuantum: seed('accountPostQuantum') },
    enyra: { suite, classical: seed('enyraClassical'), postQuantum: seed('enyraPostQuantum') },
    endorsementSalt: seed('endorsementSalt'),
    command: { suite, classical: seed('commandClassical'), postQuantum: seed('commandPostQuantum') },
    commandSealing: seed('commandSealing'),
    custodians: seed('custodians'),
    subject: seed('subject'),
    tpmMaker,
    tlsAuthority,
    fleetAuthority,
  };
};

const newSecrets = async (clock: Clock, random: Random): Promise<Stored> => ({
  seeds: Object.fromEntries(Object.entries(seedBytes).map(([name, count]) => [name, toBase64(random.bytes(count))])),
  tpmMaker: await newAuthority('Enigm simulator TPM maker', 'p256', clock),
  tlsAuthority: await newAuthority('Enigm simulator TLS', 'ed25519', clock),
  fleetAuthority: await newAuthority('Enigm simulator fleet', 'ed25519', clock),
});
