import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { userIdOf } from './user-id.ts';

const folder = mkdtempSync(join(tmpdir(), 'enigm-users-'));
afterAll(() => rmSync(folder, { recursive: true }));
const list = join(folder, 'passwd');
writeFileSync(list, 'root:x:0:0:root:/root:/bin/sh\nenigm-agentd:x:998:997::/:/usr/sbin/nologin\nodd:x::0::/:\nshort\n');

test('a user is known by name or by number', () => {
  expect(unwrap(userIdOf('enigm-agentd', list))).toBe(998);
  expect(unwrap(userIdOf('root', list))).toBe(0);
  expect(unwrap(userIdOf('1234', list))).toBe(1234);
  expect(unwrap(userIdOf('root'))).toBe(0);
});

test.each(['enigm', 'odd', 'short', '', '-1', 'x', '12345678901'])('"%s" is nobody, never a guess', (user) => {
  expect(userIdOf(user, list)).toMatchObject({ fault: { category: 'protocol', reason: 'config-invalid' } });
});

test('a list that cannot be read has nobody in it', () => {
  expect(userIdOf('root', join(folder, 'absent'))).toMatchObject({ fault: { reason: 'config-invalid' } });
});
