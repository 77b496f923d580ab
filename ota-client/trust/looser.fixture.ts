/** Where tuf-js 6.0.2 refuses what this client accepts, since the specification allows it. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { type Difference, editing, publishWith, setting, timestampKeys } from './difference.fixture.ts';
import { ed25519Key, type TestKey } from './forge.fixture.ts';
import type { JsonObject } from './json.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keyless: TestKey = {
  id: 'keyless',
  json: { keytype: 'x', scheme: 'x', keyval: { identity: { a: 1 } } },
  sign: () => new Uint8Array(),
};
const inherited = (name: string): TestKey => ({ ...ed25519Key('t'), id: name });

export const looser: readonly Difference[] = [
  {
    name: 'other files beside the snapshot in a timestamp',
    why: /was signed by \d+\/\d+ keys/,
    make: editing('timestamp', (part) =>
      Object.assign(part, { meta: { ...(part['meta'] as JsonObject), 'other.json': { version: 1 } } }),
    ),
  },
  {
    name: 'a root that does not say whether names have versions',
    why: /consistent_snapshot must be a boolean/,
    isTelling: true,
    make: (forge) => {
      forge.consistent = false;
      forge.publishRoot({ edit: (part) => void delete part['consistent_snapshot'] });
      forge.publish();
    },
  },
  {
    name: 'names beyond U+FFFF, sorted by code point as the reference client does',
    why: /was signed by \d+\/\d+ keys/,
    make: setting('targets', { x: { '\uffff': 1, '😀': 2 } }),
  },
  {
    name: 'a hash that nobody here knows beside one that is known: it is not looked at',
    why: /Hash algorithm \w+ not supported/,
    isTelling: true,
    make: (forge) => {
      forge.hashed = false;
      publishWith(forge, 'snapshot', {
        edit: (part) => {
          const version = forge.versions.get('targets') ?? 0;
          const sha256 = createHash('sha256').update(forge.latest('targets')).digest('hex');
          Object.assign(part, { meta: { 'targets.json': { version, hashes: { sha256, other: '00' } } } });
        },
      });
    },
  },
  {
    name: 'a key whose value is not all text: it counts for nobody',
    why: /keyval must be a string record/,
    isTelling: true,
    make: timestampKeys([ed25519Key('t'), keyless], 1, [ed25519Key('t')]),
  },
  {
    name: 'RSA with PKCS #1 padding, which the conformance suite uses',
    why: /was signed by \d+\/\d+ keys/,
    make: timestampKeys(
      [
        {
          id: 'pkcs1',
          json: {
            keytype: 'rsa',
            scheme: 'rsa-pkcs1v15-sha256',
            keyval: { public: rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString() },
          },
          sign: (canonical) => sign('sha256', canonical, rsa.privateKey),
        },
      ],
      1,
    ),
  },
  {
    name: 'delegated roles whose names are numbers, in another order than that of the numbers',
    why: /was signed by \d+\/\d+ keys/,
    make: (forge) => {
      for (const name of ['2', '1']) {
        forge.delegated.set(name, { parent: 'targets', keys: [ed25519Key('d')], threshold: 1, terminating: false, paths: ['*'] });
        forge.roleTargets(name);
      }
      forge.publish();
    },
  },
  {
    name: 'a key id called as a property of every object',
    why: /multiple signatures found for keyid: constructor/,
    make: timestampKeys([inherited('constructor')], 1),
  },
];
