import { expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import { handsFiles } from './files.ts';

test('the journal of a visit is read as it was written, over restarts, and keeps the newest 256', () => {
  const store = memoryStore();
  expect(unwrap(handsFiles(store).journal())).toEqual([]);
  unwrap(handsFiles(store).writeJournal({ step: 'owner-policy', phase: 'begun' }));
  unwrap(handsFiles(store).writeJournal({ step: 'owner-policy', phase: 'done' }));
  expect(unwrap(handsFiles(store).journal())).toEqual([
    { step: 'owner-policy', phase: 'begun' },
    { step: 'owner-policy', phase: 'done' },
  ]);
  for (let count = 0; count < 256; count += 1) unwrap(handsFiles(store).writeJournal({ step: `step-${count}`, phase: 'done' }));
  const kept = unwrap(handsFiles(store).journal());
  expect([kept.length, kept[0]?.step]).toEqual([256, 'step-0']);
});

test.each([
  '',
  '{',
  '5',
  'null',
  '{}',
  '[null]',
  '[{}]',
  '[{"step":"a","phase":"lost"}]',
  '[{"step":{"toString":1},"phase":"done"}]',
])('a journal that is none is a fault of the storage: %s', (damage) => {
  const store = memoryStore();
  unwrap(store.put('journal', utf8(damage)));
  const failed = { ok: false, fault: { category: 'unavailable', reason: 'storage-failed' } };
  expect(handsFiles(store).journal()).toMatchObject(failed);
  expect(handsFiles(store).writeJournal({ step: 'a', phase: 'begun' })).toMatchObject(failed);
});
