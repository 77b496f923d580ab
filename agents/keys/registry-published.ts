/** Key classes of custodians, who sign what is published: the root names all others, and a newer root replaces them. */
import { type KeyClassEntry, type Verb, verb } from './verbs.ts';

const custodian = (rotation: Verb): Omit<KeyClassEntry, 'use'> => ({
  algorithms: 'Ed25519 and ML-DSA-65, both of each custodian',
  where: 'with its custodians, each their own',
  generation: verb('owner', 'By each custodian.'),
  protection: verb('owner', 'By each custodian; a quorum of a class signs, one alone signs nothing.'),
  rotation,
  replacement: rotation,
  revocation: { ...rotation, how: `${rotation.how} Not by a person at a device, who could keep repairs from it.` },
});

const byRoot = verb('custodians', 'A newer root, signed by the quorum of the old one and its own, names other keys.');
const byTargets = verb('custodians', 'Newer targets, signed by their quorum, delegate the class to other keys.');
/** Both the hands and the mind are started with the list; no server writes it. */
const byList = verb('technician', 'The list of custodians that the hands are started with names other keys.');

export const publishedKeys = {
  root: { ...custodian(byRoot), use: 'who may sign at the top of the repository' },
  targets: { ...custodian(byRoot), use: 'which class belongs to whom' },
  snapshot: { ...custodian(byRoot), use: 'which versions belong together' },
  timestamp: { ...custodian(byRoot), use: 'that this is the newest' },
  policy: { ...custodian(byTargets), use: 'bundles of network and privacy policy' },
  configuration: { ...custodian(byTargets), use: 'bundles of configuration' },
  apps: { ...custodian(byTargets), use: 'the manifest of apps' },
  os: { ...custodian(byList), use: 'releases of the system' },
  repair: { ...custodian(byList), use: 'repair releases, with nobody asked' },
} as const satisfies Record<string, KeyClassEntry>;
