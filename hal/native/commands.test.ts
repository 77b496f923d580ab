import { describe, expect, test } from 'vitest';
import { codeOf } from '#hal/core/result';
import { bindCommands, handles } from './commands.ts';
import type { Esys } from './esys.ts';
import type { NativeEsys } from './load.ts';
import { queueFullRc, tpmResult } from './tpm-error.ts';
import { transientScope } from './transient.ts';

const recorder = (names: readonly string[]) => {
  const calls: unknown[][] = [];
  const native = Object.fromEntries(
    names.map((name) => [
      name,
      async (...values: unknown[]) => {
        calls.push([name, ...values]);
      },
    ]),
  );
  return { calls, commands: bindCommands(native as unknown as NativeEsys) };
};

describe('the command table', () => {
  test('puts three session handles where the ESYS function has them', async () => {
    const { calls, commands } = recorder(['GetRandom', 'NV_Increment', 'PolicyAuthorizeNV', 'FlushContext', 'Startup']);
    await commands.getRandom([], 8);
    await commands.nvIncrement(1, 2, [handles.password]);
    await commands.policyAuthorizeNv(1, 2, 3, [4, 5, 6]);
    await commands.flushContext(7);
    await commands.startup(0);
    const none = handles.none;
    expect(calls).toEqual([
      ['GetRandom', none, none, none, 8],
      ['NV_Increment', 1, 2, handles.password, none, none],
      ['PolicyAuthorizeNV', 1, 2, 3, 4, 5, 6],
      ['FlushContext', 7],
      ['Startup', 0],
    ]);
  });

  test('refuses a fourth session, and something that is no list of sessions', () => {
    const { calls, commands } = recorder(['GetRandom']);
    expect(() => commands.getRandom([1, 2, 3, 4], 8)).toThrow('at most three sessions');
    expect(() => commands.getRandom(handles.password as unknown as [], 8)).toThrow('at most three sessions');
    expect(calls).toEqual([]);
  });

  test('says which function an addon lacks', () => {
    const { commands } = recorder([]);
    expect(() => commands.startup(0)).toThrow('the TPM addon has no Startup');
  });
});

const tpmError = (rc: number) => Object.assign(new Error('Quote: no'), { name: 'TpmError', rc });

describe('tpmResult', () => {
  test('gives the value', async () => {
    expect(await tpmResult(Promise.resolve(5))).toEqual({ ok: true, value: 5 });
  });

  test('maps an error of the TPM to unavailable/tpm-failed with its code', async () => {
    expect(await tpmResult(Promise.reject(tpmError(0x98e)))).toEqual({
      ok: false,
      fault: { category: 'unavailable', reason: 'tpm-failed', detail: 'Quote: no (0x98e)' },
    });
  });

  test('maps a full queue to resource/queue-full', async () => {
    const result = await tpmResult(Promise.reject(tpmError(queueFullRc)));
    expect(result).toMatchObject({ ok: false, fault: { category: 'resource', reason: 'queue-full' } });
  });

  test.each([
    ['a lost connection', 0xa0008, 'unavailable/tpm-missing'],
    ['a broken one', 0xa000a, 'unavailable/tpm-missing'],
    ['the lock of the dictionary attack', 0x921, 'unavailable/tpm-locked-out'],
    ['no room', 0x14b, 'resource/tpm-full'],
  ])('row 47: has a code of its own for %s', async (_, rc, code) => {
    const result = await tpmResult(Promise.reject(tpmError(rc)));
    expect(result.ok ? 'done' : codeOf(result.fault)).toBe(code);
  });

  test('lets every other error through', async () => {
    await expect(tpmResult(Promise.reject(new TypeError('mine')))).rejects.toThrow('mine');
  });
});

describe('a scope of transient handles', () => {
  const scopeOver = (flush: (handle: number) => Promise<void>) => transientScope({ flushContext: flush } as unknown as Esys);

  test('flushes all of them in reverse order, also after a throw', async () => {
    const flushed: number[] = [];
    const use = async () => {
      await using scope = await scopeOver(async (handle) => void flushed.push(handle));
      scope.keep(1);
      scope.keep(2);
      throw new Error('midway');
    };
    await expect(use()).rejects.toThrow('midway');
    expect(flushed).toEqual([2, 1]);
  });

  test('goes on when the TPM does not hold one of them any more', async () => {
    const flushed: number[] = [];
    const scope = await scopeOver(async (handle) => {
      if (handle === 2) throw tpmError(0x1c4);
      flushed.push(handle);
    });
    for (const handle of [1, 2, 3]) scope.keep(handle);
    await scope[Symbol.asyncDispose]();
    expect(flushed).toEqual([3, 1]);
  });

  test('waits for the scope before it on the same TPM, and for no other TPM', async () => {
    const esys = { flushContext: async () => undefined } as unknown as Esys;
    const seen: string[] = [];
    const first = await transientScope(esys);
    const second = transientScope(esys).then(async (scope) => {
      seen.push('second');
      await scope[Symbol.asyncDispose]();
    });
    const elsewhere = await scopeOver(async () => undefined);
    seen.push('elsewhere');
    await elsewhere[Symbol.asyncDispose]();
    seen.push('first ends');
    await first[Symbol.asyncDispose]();
    await second;
    expect(seen).toEqual(['elsewhere', 'first ends', 'second']);
  });
});
