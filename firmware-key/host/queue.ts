/**
 * Sealed messages of an alert on their way through the host: durable before anybody is told, kept until the far end has
 * acknowledged them. The host can open none of them.
 */
import { concat, u16be } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import { contactIdBytes, cutMessage, type Submission } from '../core/alert-format.ts';
import { readU16, toHex } from '../core/octets.ts';

export interface QueuedAlert {
  /** Contact, event and number: the same message is queued once. */
  readonly name: string;
  readonly contact: Uint8Array;
  readonly message: Uint8Array;
}

/** Eight contacts, each with everything that an event sends but its positions, several times over. */
export const maxQueued = 128;
export const alertsRecord = 'key-alerts';

export class AlertQueue {
  private readonly store: DurableStore;
  private items: readonly QueuedAlert[];

  private constructor(store: DurableStore, items: readonly QueuedAlert[]) {
    this.store = store;
    this.items = items;
  }

  /** @returns the queue as it was left, or `unavailable/storage-failed`, `protocol/malformed` */
  static open(store: DurableStore): Result<AlertQueue> {
    const bytes = store.get(alertsRecord);
    if (!bytes.ok) return bytes;
    const items = decodeItems(bytes.value ?? new Uint8Array(0));
    return items === undefined ? deny('protocol', 'malformed', 'stored alerts') : ok(new AlertQueue(store, items));
  }

  /**
   * Durable before it returns. A full queue drops its oldest position to make room, never anything else.
   *
   * @returns nothing, or `resource/queue-full` (the Key sends again), `unavailable/storage-failed`
   */
  accept({ contacts, message }: Submission): Result<void> {
    const cut = cutMessage(message);
    if (cut === undefined) return deny('protocol', 'malformed', 'alert message');
    let items = this.items;
    for (const contact of contacts) {
      const name = `${toHex(contact)}-${toHex(cut.event)}-${cut.sequence}`;
      if (items.some((item) => item.name === name)) continue;
      if (items.length >= maxQueued) {
        const oldest = items.findIndex((item) => cutMessage(item.message)?.type === 'update');
        if (oldest === -1) return deny('resource', 'queue-full', `${items.length} alerts wait`);
        items = items.toSpliced(oldest, 1);
      }
      items = [...items, { name, contact, message }];
    }
    return items === this.items ? done : this.keep(items);
  }

  /** Oldest first. */
  pending(): readonly QueuedAlert[] {
    return this.items;
  }

  /** The far end has it. */
  delivered(name: string): Result<void> {
    return this.keep(this.items.filter((item) => item.name !== name));
  }

  private keep(items: readonly QueuedAlert[]): Result<void> {
    const stored = this.store.put(alertsRecord, encodeItems(items));
    if (stored.ok) this.items = items;
    return stored;
  }
}

/** `contact 16 | length 2 | message`, one after the other. */
const encodeItems = (items: readonly QueuedAlert[]): Uint8Array =>
  concat(...items.flatMap(({ contact, message }) => [contact, u16be(message.length), message]));

const decodeItems = (bytes: Uint8Array): readonly QueuedAlert[] | undefined => {
  const items: QueuedAlert[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at + contactIdBytes + 2;
    const end = start + readU16(bytes, at + contactIdBytes);
    const contact = bytes.slice(at, at + contactIdBytes);
    const message = bytes.slice(start, end);
    const cut = cutMessage(message);
    if (end > bytes.length || cut === undefined) return undefined;
    items.push({ name: `${toHex(contact)}-${toHex(cut.event)}-${cut.sequence}`, contact, message });
    at = end;
  }
  return items;
};
