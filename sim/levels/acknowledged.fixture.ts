/** What a device acknowledged over all its lives, held against what its audit log says now. */
import { expect } from 'vitest';
import type { ApiMethods } from '#agents/api/methods';
import { openCheckpoint } from '#agents/audit/checkpoint';
import { toHex } from '#hal/core/bytes';
import { decodeMessage } from '#hal/core/message';
import { unwrap } from '#hal/core/result';
import { appendLeaf, leafHash, rootOf } from '#hal/crypto/merkle';
import { nodeCrypto } from '#hal/crypto/node';
import type { Client } from '#hal/remote/methods';
import type { AuditEntry, AuditStatus } from '#protos/gen/types';

type App = Pick<Client<ApiMethods>, 'call'>;

export interface Acknowledged {
  /** Pseudonyms of people who were presented and accepted: the record is durable before the answer. */
  readonly people: Set<string>;
  allowed: number;
  /** Reads the whole log and holds it against everything that was acknowledged so far. */
  check(app: App): Promise<AuditStatus>;
}

const pageSize = 256;

/** @param allowedAction the action whose allows are counted */
export const acknowledged = (allowedAction: string): Acknowledged => {
  let known: readonly string[] = [];
  let anchor = 0;
  const self: Acknowledged = {
    people: new Set(),
    allowed: 0,
    async check(app) {
      const status = unwrap(await app.call('audit.status', {}));
      expect(status.size).toBeGreaterThanOrEqual(known.length);
      const entries = (await readAll(app)).slice(0, Math.max(status.size, known.length));
      const hashes = entries.map(({ hash }) => toHex(hash));
      expect(hashes.slice(0, known.length), 'the log that was there before is a prefix').toEqual(known);
      known = hashes;
      expect(toHex(rootOver(entries, status.size)), 'root').toBe(toHex(status.root));
      const checkpoint = unwrap(openCheckpoint(nodeCrypto, status.checkpoint, status.key));
      expect(toHex(rootOver(entries, checkpoint.size)), 'root of the checkpoint').toBe(toHex(checkpoint.root));
      expect(checkpoint.anchor).toBeGreaterThanOrEqual(anchor);
      ({ anchor } = checkpoint);
      const records = entries.map(({ record }) => unwrap(decodeMessage('AuditRecord', record ?? new Uint8Array())));
      const people = new Set(records.flatMap(({ event, actor }) => (event === 'authz.identity' && actor ? [toHex(actor)] : [])));
      expect(
        [...self.people].filter((subject) => !people.has(subject)),
        'acknowledged and lost',
      ).toEqual([]);
      const allowed = records.filter(
        ({ event, outcome, action }) => event === 'authz.decision' && outcome === 'allowed' && action === allowedAction,
      ).length;
      expect(allowed).toBeGreaterThanOrEqual(self.allowed);
      return status;
    },
  };
  return self;
};

/** Every record, in order; those whose time is over have their hash alone. */
export const readAll = async (app: App): Promise<readonly AuditEntry[]> => {
  const entries: AuditEntry[] = [];
  for (;;) {
    const page = unwrap(await app.call('audit.list', { fromIndex: entries.length, count: pageSize }));
    entries.push(...page.entries);
    if (page.entries.length < pageSize) return entries;
  }
};

/** The root by our own arithmetic, each whole record against its hash. */
const rootOver = (entries: readonly AuditEntry[], size: number): Uint8Array => {
  const nodes = new Map<string, Uint8Array>();
  const nodeAt = (level: number, index: number) => nodes.get(`${level}/${index}`) ?? new Uint8Array();
  for (const [index, { hash, record }] of entries.slice(0, size).entries()) {
    if (record !== undefined) expect(toHex(leafHash(record)), `record ${index}`).toBe(toHex(hash));
    for (const node of appendLeaf(nodeAt, index, hash)) nodes.set(`${node.level}/${node.index}`, node.hash);
  }
  return rootOf(nodeAt, size);
};
