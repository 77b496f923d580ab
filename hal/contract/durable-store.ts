/** What every `DurableStore` must do. */
import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';

/** @param open opens the same store again and again; closing it is a restart */
export const durableStoreContract = (name: string, open: () => DurableStore): void => {
  describe(`DurableStore: ${name}`, () => {
    test('has nothing under a key that was never put', () => {
      const store = open();
      expect(unwrap(store.get('never'))).toBeUndefined();
      store.close();
    });

    test('gives back exactly the bytes, also after a restart', () => {
      const first = open();
      unwrap(first.put('a', utf8('one')));
      unwrap(first.put('b', new Uint8Array()));
      unwrap(first.put('a', utf8('two')));
      first.close();
      const second = open();
      expect(Buffer.from(unwrap(second.get('a')) ?? []).toString()).toBe('two');
      expect(unwrap(second.get('b'))?.length).toBe(0);
      second.close();
    });

    test('has the same values after what was overwritten is scrubbed', () => {
      const store = open();
      unwrap(store.put('d', utf8('before')));
      unwrap(store.put('d', utf8('after')));
      unwrap(store.scrub());
      expect(Buffer.from(unwrap(store.get('d')) ?? []).toString()).toBe('after');
      unwrap(store.put('d', utf8('later')));
      store.close();
      const second = open();
      expect(Buffer.from(unwrap(second.get('d')) ?? []).toString()).toBe('later');
      second.close();
    });

    test('keeps its own copy of what was put', () => {
      const store = open();
      const bytes = utf8('mine');
      unwrap(store.put('c', bytes));
      bytes.fill(0);
      expect(Buffer.from(unwrap(store.get('c')) ?? []).toString()).toBe('mine');
      store.close();
    });
  });
};
