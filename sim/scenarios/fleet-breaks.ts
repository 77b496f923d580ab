/** Sabotage of what comes from an administration: its signatures, its people, its repository, its broker. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MirrorPath } from '#sim/peers/files';
import type { Sabotage } from './sabotage.ts';

const timestamp = 'metadata/timestamp.json';

const onTimestamp =
  (change: (bytes: Uint8Array) => Uint8Array): MirrorPath =>
  (path, _offset, bytes) =>
    path === timestamp ? change(bytes) : bytes;

interface Signed {
  readonly signatures: readonly { readonly sig: string }[];
}

/** An Ed25519 signature has 64 bytes, one of ML-DSA-65 has 3309. */
const stripPostQuantum = (bytes: Uint8Array): Uint8Array => {
  const file = JSON.parse(Buffer.from(bytes).toString('utf8')) as Signed;
  return Buffer.from(JSON.stringify({ ...file, signatures: file.signatures.filter(({ sig }) => sig.length === 128) }));
};

const rollback = (): Sabotage => {
  let old: Uint8Array = new Uint8Array();
  return {
    what: 'a mirror serves the repository as it was before the policy of the day',
    step: 'network',
    code: 'integrity/metadata-rollback',
    before: {
      policy: ({ fleet }) => {
        old = readFileSync(join(fleet.command.repositoryDirectory, timestamp));
      },
      network: ({ fleet }) => fleet.files.takePath(onTimestamp(() => old)),
    },
  };
};

export const fleetBreaks: Readonly<Record<string, Sabotage>> = {
  signature: {
    what: 'a mirror strips the post-quantum signatures from the newest metadata of the repository',
    step: 'policy',
    code: 'integrity/signature-missing',
    before: { policy: ({ fleet }) => fleet.files.takePath(onTimestamp(stripPostQuantum)) },
  },
  custodian: {
    what: 'the publisher is taken over and puts out a policy that one person signed',
    step: 'policy',
    code: 'integrity/custodians-missing',
    before: { policy: ({ fleet }) => fleet.command.takeOver() },
  },
  rollback: rollback(),
  broker: {
    what: 'the message broker is killed and stays down',
    step: 'policy',
    code: 'unavailable/broker-unreachable',
    before: { policy: ({ fleet }) => fleet.broker.kill() },
  },
};
