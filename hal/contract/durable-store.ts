/** What every `DurableStore` must do. */
import { utf8 } from '#hal/core/bytes';
import type { DurableStore } from '#hal/ports/durable-store';
import { type Clause, demand, granted, same } from './clause.ts';

/** Each start opens the same store again; closing it is a restart. */
export const durableStoreClauses: readonly Clause<DurableStore>[] = [
  {
    says: 'has nothing under a key that was never put',
    async check(open) {
      const store = await open();
      demand(
        granted("get('never')", store.get('never')) === undefined,
        'a key that was never put has a value; it has to have none',
      );
      store.close();
    },
  },
  {
    says: 'gives back exactly the bytes, also after a restart',
    async check(open) {
      const first = await open();
      put(first, 'a', utf8('one'));
      put(first, 'b', new Uint8Array());
      put(first, 'a', utf8('two'));
      first.close();
      const second = await open();
      same('the value of a after a restart', textOf(second, 'a'), 'two');
      same('the empty value of b after a restart', textOf(second, 'b'), '');
      second.close();
    },
  },
  {
    says: 'has the same values after what was overwritten is scrubbed',
    async check(open) {
      const store = await open();
      put(store, 'd', utf8('before'));
      put(store, 'd', utf8('after'));
      granted('scrub()', store.scrub());
      same('the value of d after scrub()', textOf(store, 'd'), 'after');
      put(store, 'd', utf8('later'));
      store.close();
      const second = await open();
      same('the value of d after scrub(), put() and a restart', textOf(second, 'd'), 'later');
      second.close();
    },
  },
  {
    says: 'keeps its own copy of what was put',
    async check(open) {
      const store = await open();
      const bytes = utf8('mine');
      put(store, 'c', bytes);
      bytes.fill(0);
      same('the value of c after the caller wiped its bytes', textOf(store, 'c'), 'mine');
      store.close();
    },
  },
];

const put = (store: DurableStore, key: string, value: Uint8Array): void => granted(`put('${key}', …)`, store.put(key, value));
const textOf = (store: DurableStore, key: string): string | undefined => {
  const value = granted(`get('${key}')`, store.get(key));
  return value === undefined ? undefined : Buffer.from(value).toString();
};
