/** For tests: the real log on a database in memory, with a counter and a signer of its own, and its records read back. */

import { decodeMessage } from '#hal/core/message';
import { ok, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSign, hybridSignatureSuites } from '#hal/crypto/suites';
import { seededRandom } from '#hal/memory/random';
import type { Clock } from '#hal/ports/clock';
import type { AuditRecord } from '#protos/gen/types';
import { type AuditLog, type AuditParts, openAuditLog } from './log.ts';
import { openAuditStore } from './store.ts';

const keys = hybridKeyPair(nodeCrypto, hybridSignatureSuites['enigm-ed25519-mldsa65'], seededRandom('audit of a test'));

export const openTestAudit = (clock: Clock, changed: Partial<AuditParts> = {}): Promise<AuditLog> => {
  const counter = { value: 1, base: 1 };
  return openAuditLog({
    store: unwrap(openAuditStore(':memory:')),
    clock,
    crypto: nodeCrypto,
    bootId: new Uint8Array(16).fill(0xb0),
    keys: keys.publicKey,
    sign: async (message) => ok(hybridSign(nodeCrypto, keys.secretKey, message)),
    readCounter: async () => ok({ ...counter }),
    advanceCounter: async () => {
      counter.value += 1;
      return ok({ ...counter });
    },
    ...changed,
  });
};

/** Every record as the log keeps it. */
export const rawRecords = (audit: AuditLog): readonly Uint8Array[] =>
  audit.list(0, audit.status().size).map(({ record }) => record ?? new Uint8Array());

export const recordsOf = (audit: AuditLog): readonly AuditRecord[] =>
  rawRecords(audit).map((record) => unwrap(decodeMessage('AuditRecord', record)));
