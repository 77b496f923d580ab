/** One group commit for everything that was asked within one turn of the event loop; each is answered after it is durable. */
import { encodeMessage } from '#hal/core/message';
import { deny, ok, type Result } from '#hal/core/result';
import { leafHash } from '#hal/crypto/merkle';
import type { AuditRecord } from '#protos/gen/types';
import type { AuditReceipt } from './entry.ts';
import type { AuditHealth } from './health.ts';
import type { AuditStore, NewLeaf } from './store.ts';

interface Waiting extends NewLeaf {
  readonly answer: (result: Result<AuditReceipt>) => void;
}

export type AppendRecord = (record: AuditRecord, keepUntilMs: number) => Promise<Result<AuditReceipt>>;

const maxQueue = 4096;

/** @returns an append that answers `resource/queue-full` beyond its queue, and the store's fault, which degrades the log */
export const groupCommit = (store: Pick<AuditStore, 'append'>, health: Pick<AuditHealth, 'degrade'>): AppendRecord => {
  let queue: Waiting[] = [];
  const flush = () => {
    const group = queue;
    queue = [];
    const stored = store.append(group);
    if (!stored.ok) health.degrade(stored.fault);
    for (const [offset, waiting] of group.entries())
      waiting.answer(stored.ok ? ok({ index: stored.value + offset, leaf: leafHash(waiting.record) }) : stored);
  };
  return (record, keepUntilMs) =>
    new Promise((answer) => {
      if (queue.length >= maxQueue) return answer(deny('resource', 'queue-full'));
      if (queue.length === 0) setImmediate(flush);
      queue.push({ record: encodeMessage('AuditRecord', record), keepUntilMs, answer });
    });
};
