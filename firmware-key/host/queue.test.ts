import { describe, expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import { cutMessage, type Submission } from '../core/alert-format.ts';
import { join, u32 } from '../core/octets.ts';
import { AlertQueue, maxQueued } from './queue.ts';

const contact = (byte: number): Uint8Array => new Uint8Array(16).fill(byte);
const control = (sequence: number): Uint8Array => join(Uint8Array.of(2), new Uint8Array(16), u32(sequence), new Uint8Array(80));
const update = (sequence: number): Uint8Array =>
  join(Uint8Array.of(3), new Uint8Array(16), u32(sequence), u32(0), new Uint8Array(80));
const submission = (message: Uint8Array, ...contacts: number[]): Submission => ({
  sequence: cutMessage(message)?.sequence ?? expect.fail(),
  contacts: contacts.map(contact),
  message,
});

describe('the queue of alerts', () => {
  test('keeps one item a contact over a restart, each once, until the far end has it', () => {
    const kept = new Map<string, Uint8Array>();
    const queue = unwrap(AlertQueue.open(memoryStore(kept)));
    unwrap(queue.accept(submission(update(5), 1, 2)));
    unwrap(queue.accept(submission(update(5), 1, 2)));
    unwrap(queue.accept(submission(control(6), 1)));
    const again = unwrap(AlertQueue.open(memoryStore(kept)));
    expect(again.pending()).toEqual(queue.pending());
    expect(again.pending().map(({ name }) => name.slice(-2))).toEqual(['-5', '-5', '-6']);
    for (const { name } of again.pending()) unwrap(again.delivered(name));
    expect(unwrap(AlertQueue.open(memoryStore(kept))).pending()).toEqual([]);
  });

  test('when full it drops its oldest position, and never anything else', () => {
    const queue = unwrap(AlertQueue.open(memoryStore()));
    unwrap(queue.accept(submission(update(0), 1)));
    for (let sequence = 1; sequence < maxQueued; sequence++) unwrap(queue.accept(submission(control(sequence), 1)));
    unwrap(queue.accept(submission(control(maxQueued), 1)));
    expect(queue.pending()).toHaveLength(maxQueued);
    expect(queue.pending().some(({ message }) => cutMessage(message)?.type === 'update')).toBe(false);
    const refused = queue.accept(submission(control(maxQueued + 1), 1));
    expect(refused.ok ? '' : codeOf(refused.fault)).toBe('resource/queue-full');
  });

  test('a store that refuses keeps the queue as it was; one that is spoiled is said to be so', () => {
    const store = memoryStore();
    const queue = unwrap(
      AlertQueue.open({ ...store, put: () => ({ ok: false, fault: { category: 'unavailable', reason: 'storage-failed' } }) }),
    );
    expect(queue.accept(submission(control(1), 1)).ok).toBe(false);
    expect(queue.pending()).toEqual([]);
    unwrap(store.put('key-alerts', new Uint8Array(20).fill(1)));
    expect(AlertQueue.open(store)).toMatchObject({ fault: { reason: 'malformed' } });
  });
});
