/** Key classes of services that this device believes: it has their public keys alone. */
import { command, type KeyClassEntry, verb } from './verbs.ts';

const believed = (owner: string): Omit<KeyClassEntry, 'use' | 'withoutAny'> => ({
  algorithms: 'Ed25519 and ML-DSA-65',
  where: `with ${owner}; its public key in site.json`,
  generation: verb('owner', `By ${owner}.`),
  protection: verb('owner', `By ${owner}; this device has public keys alone.`),
  rotation: verb(
    'owner',
    `${capital(owner)} makes another one; the site configuration names both until the old one is revoked here.`,
  ),
  replacement: verb('technician', 'The site configuration names another key: no server can write it.'),
  revocation: command('For good, on this device: what it signed before or signs later verifies nothing.'),
});

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

/** Each ends what needs the class and nothing else; emergency, repair and local exits never ask any of them (SR-11, SR-12, SR-17). */
export const believedKeys = {
  verifier: {
    ...believed('the verifier'),
    use: 'attestation results, and signed time',
    withoutAny: 'Nothing protected is allowed until the site configuration names another key; repair releases still install.',
  },
  issuer: {
    ...believed('the identity issuer'),
    use: 'who the person at the device is',
    withoutAny:
      'Nobody can sign in, and nothing a person must ask for is done, until the site configuration names another key; it still starts, alerts and takes repair releases.',
  },
  account: {
    ...believed('the account service'),
    use: 'sessions',
    withoutAny:
      'No session opens, and nothing a person must ask for is done, until the site configuration names another key; it still starts, alerts and takes repair releases.',
  },
  intelligence: {
    ...believed('the intelligence service'),
    use: 'outcomes of the intelligence service',
    withoutAny: 'No outcome counts any more, neither one that warns nor one that blocks; the model of the device goes on.',
  },
  command: {
    ...believed('Command'),
    use: 'messages of Command to this device',
    withoutAny: 'No message of Command is read; bundles and releases still come, out of the repository and under other keys.',
  },
} as const satisfies Record<string, KeyClassEntry>;
