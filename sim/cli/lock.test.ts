import { expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { lockDirectory } from './lock.ts';

test('one directory has one holder at a time, and others have their own', async () => {
  const name = `/of-a-test/${process.pid}`;
  const first = unwrap(await lockDirectory(name));
  expect(await lockDirectory(name)).toMatchObject({ ok: false, fault: { category: 'resource', reason: 'count-limit' } });
  unwrap(await lockDirectory(`${name}/other`)).release();
  first.release();
  await expect.poll(async () => (await lockDirectory(name)).ok).toBe(true);
});
