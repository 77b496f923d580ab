import { describe, expect, test } from 'vitest';
import { seededRandom } from '#hal/memory/random';
import { maxSessions, newDoorway } from './doorway.ts';

const start = (port = 8080) => {
  const tokens: string[] = [];
  const doorway = newDoorway(seededRandom(1), port, (token) => void tokens.push(token));
  const enter = () => doorway.open(tokens.at(-1) ?? '')?.split(';')[0] ?? '';
  return { doorway, tokens, enter };
};

describe('the doorway', () => {
  test('takes a token once, for a cookie that no script and no other site gets', () => {
    const { doorway, tokens } = start();
    const [first = ''] = tokens;
    expect(first).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(doorway.open(first)).toMatch(/^enigm-page-8080=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(doorway.open(first)).toBeUndefined();
    expect(tokens).toHaveLength(2);
  });

  test('keeps the present token where the next one cannot be made known', () => {
    let isWritable = true;
    const tokens: string[] = [];
    const doorway = newDoorway(seededRandom(1), 8080, (token) => {
      if (!isWritable) throw new Error('no room');
      tokens.push(token);
    });
    isWritable = false;
    expect(() => doorway.open(tokens[0] ?? '')).toThrow('no room');
    isWritable = true;
    expect(doorway.open(tokens[0] ?? '')).toBeDefined();
  });

  test('refuses any other token, and keeps the present one', () => {
    const { doorway, tokens, enter } = start();
    const [first = ''] = tokens;
    for (const wrong of ['', 'x', first.slice(1), `${first}a`, first.toLowerCase()]) expect(doorway.open(wrong)).toBeUndefined();
    expect(doorway.admits(enter())).toBe(true);
  });

  test('admits only the session cookie, wherever it stands among others', () => {
    const { doorway, enter } = start();
    const cookie = enter();
    for (const header of [cookie, `a=b; ${cookie}`, `${cookie};a=b`]) expect(doorway.admits(header)).toBe(true);
    for (const header of [undefined, '', 'a=b', 'enigm-page-8080=', `${cookie}x`, cookie.slice(0, -1), `x${cookie}`])
      expect(doorway.admits(header), String(header)).toBe(false);
  });

  test('does not admit the cookie of the page on another port', () => {
    expect(start(8081).doorway.admits(start(8080).enter())).toBe(false);
  });

  test('keeps the newest sessions and no more', () => {
    const { doorway, enter } = start();
    const cookies = Array.from({ length: maxSessions + 1 }, enter);
    expect(cookies.map((cookie) => doorway.admits(cookie))).toEqual([false, ...Array<boolean>(maxSessions).fill(true)]);
  });
});
