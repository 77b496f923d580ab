import { describe, expect, test } from 'vitest';
import { memoryPages, type Pages, pairedFlash } from './flash.ts';

class Cut extends Error {}

/** Pages whose power goes after `bytes` more bytes; what was being written stays half written. */
const cutAfter = (bytes: number, kept: Map<string, Uint8Array>): Pages => {
  const pages = memoryPages(kept);
  let left = bytes;
  return {
    ...pages,
    write: (page, content) => {
      const written = Math.min(left, content.length);
      pages.write(page, content.subarray(0, written));
      left -= written + 1;
      if (left < 0) throw new Cut();
    },
    erase: (page) => {
      left -= 1;
      if (left < 0) throw new Cut();
      pages.erase(page);
    },
  };
};

describe('paired flash', () => {
  test('keeps the newest value of each record, and one page of each', () => {
    const kept = new Map<string, Uint8Array>();
    const flash = pairedFlash(memoryPages(kept));
    for (const value of ['a', 'b', 'c']) flash.write('life', value);
    flash.write('setup', 's');
    expect(pairedFlash(memoryPages(kept)).readAll()).toEqual({ life: 'c', setup: 's' });
    expect(kept.size).toBe(2);
  });

  test('a cut at any byte leaves the old value or the new one, and the next start erases what is left of the other', () => {
    const old = 'the old secret';
    const next = 'the new secret!';
    const seen = new Set<string | undefined>();
    for (let bytes = 0; bytes < 60; bytes++) {
      const kept = new Map<string, Uint8Array>();
      pairedFlash(memoryPages(kept)).write('life', old);
      try {
        pairedFlash(cutAfter(bytes, kept)).write('life', next);
      } catch (error) {
        expect(error).toBeInstanceOf(Cut);
      }
      const found = pairedFlash(memoryPages(kept)).readAll()['life'];
      seen.add(found);
      expect([old, next]).toContain(found);
      const left = [...kept.values()].map((page) => Buffer.from(page).toString('latin1')).join();
      expect(left).not.toContain(found === old ? next : old);
      pairedFlash(memoryPages(kept)).write('life', 'later');
      expect(pairedFlash(memoryPages(kept)).readAll()['life']).toBe('later');
    }
    expect(seen).toEqual(new Set([old, next]));
  });

  test('a turned bit is no record', () => {
    const kept = new Map<string, Uint8Array>();
    pairedFlash(memoryPages(kept)).write('life', 'value');
    const [[page, bytes] = ['', new Uint8Array(0)]] = kept;
    for (let at = 0; at < bytes.length; at++) {
      kept.set(
        page,
        bytes.map((byte, index) => (index === at ? byte ^ 1 : byte)),
      );
      expect(pairedFlash(memoryPages(kept)).readAll()).toEqual({});
    }
  });

  test('a page that cannot be erased stops the Key', () => {
    const pages = memoryPages();
    const flash = pairedFlash({ ...pages, erase: () => undefined });
    flash.write('life', 'a');
    expect(() => flash.write('life', 'b')).toThrow('cannot be erased');
  });
});
