/** Ways to sabotage the day: each does a real thing to a real part, and says who refuses it and how. */

import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { parseEventLog } from '#attestation/eventlog/parse';
import { decodeCbor, encodeCbor } from '#hal/core/cbor';
import { unwrap } from '#hal/core/result';
import { fleetBreaks } from './fleet-breaks.ts';
import { putBackTpm } from './put-back-tpm.ts';
import { releaseBreaks } from './release-breaks.ts';
import type { Sabotage } from './sabotage.ts';

export const breaks: Readonly<Record<string, Sabotage>> = {
  bootlog: {
    what: 'one digest in the boot log is changed after the boot',
    step: 'attest',
    code: 'attestation/log-replay',
    before: {
      attest: ({ device }) => {
        const log = new Uint8Array(readFileSync(device.bootLogPath));
        const measured = unwrap(parseEventLog(log)).events.find(({ pcr, digests }) => pcr === 11 && digests.length > 0);
        flipBit(measured?.digests[0]);
        writeFileSync(device.bootLogPath, log);
      },
    },
  },
  nonce: {
    what: 'somebody on the way replays evidence that was good before',
    step: 'attest',
    code: 'attestation/nonce-mismatch',
    before: {
      attest: ({ takePath, recordedEvidence }) => {
        const [old] = recordedEvidence;
        takePath({ onAttestFinish: (evidence) => old ?? evidence });
      },
    },
  },
  quote: {
    what: 'one bit of the TPM quote is changed on the way',
    step: 'attest',
    code: 'attestation/quote-signature',
    before: {
      attest: ({ takePath }) => takePath({ onAttestFinish: (evidence) => changePart(evidence, 'quote', flipBit) }),
    },
  },
  pq: {
    what: 'the post-quantum signature is stripped from the evidence',
    step: 'attest',
    code: 'attestation/pq-missing',
    before: { attest: ({ takePath }) => takePath({ onAttestFinish: stripSignature }) },
  },
  session: {
    what: 'a session that was opened on another device is presented here',
    step: 'session',
    code: 'handle/session-of-another-device',
    before: { session: (world) => world.openSessionElsewhere() },
  },
  posture: {
    what: 'the network program of the device is stopped and stays stopped',
    step: 'posture',
    code: 'posture/programs-unhealthy',
    before: { posture: ({ device }) => device.pause('linkd') },
  },
  audit: {
    what: 'one record of the audit log is rewritten while the device is off',
    step: 'posture',
    code: 'integrity/audit-tampered',
    before: {
      posture: async ({ device }) => {
        await device.powerOff();
        const database = new DatabaseSync(device.auditPath);
        database.exec('UPDATE leaf SET record = zeroblob(length(record)) WHERE position = 1');
        database.close();
        await device.powerOn();
        await device.answers();
      },
    },
  },
  clock: {
    what: 'an earlier state of the TPM is put back while the device is off',
    step: 'attest',
    code: 'attestation/clock-rollback',
    before: {
      attest: ({ device }) => putBackTpm(device),
    },
  },
  ...fleetBreaks,
  ...releaseBreaks,
  outcome: {
    what: 'somebody without its key speaks in the name of the intelligence service',
    step: 'intelligence',
    code: 'integrity/signature-missing',
    before: { intelligence: ({ enyra }) => enyra.impersonate() },
  },
  leak: {
    what: 'the courier of alerts is taken over and shows contacts the places of an alert that is over',
    step: 'emergency',
    code: 'integrity/decryption-failed',
    before: { emergency: ({ beacon }) => beacon.courier.takeOver() },
  },
};

const flipBit = (bytes: Uint8Array | undefined): void => {
  if (bytes === undefined || bytes.length === 0) throw new Error('nothing to change');
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] as number) ^ 1;
};

/** Evidence is a COSE_Sign1 over a CMW collection: one part of it changed, everything else left as it was. */
const changePart = (evidence: Uint8Array, part: string, change: (bytes: Uint8Array) => void): Uint8Array => {
  const sign1 = unwrap(decodeCbor(evidence)) as readonly [Uint8Array, ReadonlyMap<string, never>, Uint8Array, Uint8Array];
  const collection = unwrap(decodeCbor(sign1[2])) as ReadonlyMap<string, readonly [string, Uint8Array]>;
  const record = collection.get(part);
  if (record === undefined) throw new Error(`no part ${part}`);
  const parts = unwrap(decodeCbor(record[1])) as readonly Uint8Array[];
  change(parts[0] as Uint8Array);
  const changed = new Map(collection).set(part, [record[0], encodeCbor(parts)]);
  return encodeCbor([sign1[0], sign1[1], encodeCbor(changed), sign1[3]]);
};

const stripSignature = (evidence: Uint8Array): Uint8Array => {
  const [header, unprotected, payload] = unwrap(decodeCbor(evidence)) as readonly [
    Uint8Array,
    ReadonlyMap<string, never>,
    Uint8Array,
    Uint8Array,
  ];
  return encodeCbor([header, unprotected, payload, new Uint8Array()]);
};
