import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { runInNewContext } from 'node:vm';
import { QuickJS } from 'quickjs-wasi';
import { beforeAll, describe, expect, test } from 'vitest';
import { nodeCrypto } from '#hal/crypto/node';
import { keyScript } from '../bundle.ts';
import type { KeyCrypto } from '../core/crypto.ts';
import type { Effect } from '../core/effects.ts';
import type { Input } from '../core/inputs.ts';
import { ofHex, toHex } from '../core/octets.ts';
import { decodeValue, encodeValue } from '../core/records.ts';
import { chanceOf, pins, World } from '../world.fixture.ts';
import { type KeyCore, nativeCore } from './core.ts';
import { keyCrypto } from './key-crypto.ts';
import { compileKey, type EngineCore, engineLimits, quickJsCore } from './quickjs.ts';

const wasm = readFileSync(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm'));
let script: string;
let bytecode: Uint8Array;

beforeAll(async () => {
  script = await keyScript();
  bytecode = await compileKey({ wasm, script });
});

interface Recorded {
  readonly input: Input;
  readonly effects: string;
}

/** A world's inputs and what the native Key made of them, life by life. */
const record = (seed: number, contacts: number): { lives: Recorded[][]; crypto: KeyCrypto } => {
  const lives: Recorded[][] = [];
  let last: KeyCrypto | undefined;
  const core = (crypto: KeyCrypto): KeyCore => {
    last = crypto;
    const native = nativeCore(crypto);
    const life: Recorded[] = [];
    lives.push(life);
    return {
      step(input) {
        const effects = native.step(input);
        life.push({ input, effects: encodeValue(effects) });
        return effects;
      },
    };
  };
  const world = new World({ seed, contacts, lossPercent: 20, keyCuts: 2, docks: 1, core });
  const chance = chanceOf(seed);
  world.press(6_000);
  world.run(60_000);
  world.give({ is: 'battery', percent: 5 });
  world.give({ is: 'received', bytes: new Uint8Array(300).fill(seed) });
  world.run(200_000);
  world.give({ is: 'digits', digits: chance.percent(50) ? pins.cancel : pins.duress });
  world.run(300_000);
  world.give({ is: 'cable', isPresent: true });
  world.run(40_000);
  return { lives, crypto: last ?? keyCrypto(nodeCrypto, new Uint8Array(32), 1) };
};

/** The script in Node itself: the same bytes, another engine. */
const scriptInNode = (crypto: KeyCrypto): ((input: string) => string) => {
  const hex =
    (run: (...parts: Uint8Array[]) => Uint8Array | undefined) =>
    (...parts: string[]): string | null => {
      const result = run(...parts.map(ofHex));
      return result === undefined ? null : toHex(result);
    };
  const none = new Uint8Array(0);
  const sandbox: Record<string, unknown> = {
    enigmCrypto: {
      hmac: hex((key = none, data = none) => crypto.hmac(key, data)),
      seal: hex((key = none, nonce = none, aad = none, text = none) => crypto.seal(key, nonce, aad, text)),
      open: hex((key = none, nonce = none, aad = none, sealed = none) => crypto.open(key, nonce, aad, sealed)),
      pinTag: hex((salt = none, pin = none) => crypto.pinTag(salt, pin)),
    },
  };
  runInNewContext(script, sandbox);
  return sandbox['enigmKey'] as (input: string) => string;
};

describe('the same script', () => {
  test('gives the same bytes in Node and in QuickJS under 384 KiB, over whole lives of eight seeds', async () => {
    let steps = 0;
    let mostBytes = 0;
    let mostInterrupts = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const { lives, crypto } = record(seed, 1 + (seed % 4));
      for (const life of lives) {
        const node = scriptInNode(crypto);
        const engine = await quickJsCore(wasm, bytecode, crypto);
        for (const { input, effects } of life) {
          expect(node(encodeValue(input))).toBe(effects);
          expect(encodeValue(engine.step(input))).toBe(effects);
          mostBytes = Math.max(mostBytes, engine.usedBytes());
          steps += 1;
        }
        mostInterrupts = Math.max(mostInterrupts, engine.mostInterrupts());
        engine.close();
      }
    }
    expect(steps).toBeGreaterThan(200);
    expect(mostBytes).toBeLessThan(300 * 1024);
    expect(mostInterrupts).toBeLessThan(20);
  });

  test('is small, and knows nothing of the machine', () => {
    expect(script.length).toBeLessThan(32 * 1024);
    for (const word of ['require(', 'node:', 'Date', 'Math.random', 'setTimeout', 'eval(', 'new Function', 'Buffer', 'process.'])
      expect(script, word).not.toContain(word);
  });
});

describe('the sandbox', () => {
  const crypto = keyCrypto(nodeCrypto, new Uint8Array(32), 1);
  const entropy = new Uint8Array(64);

  /** A Key whose script is something else. */
  const run = async (source: string): Promise<EngineCore> =>
    quickJsCore(wasm, await compileKey({ wasm, script: source }), crypto);
  const ask = async (source: string): Promise<readonly Effect[]> => {
    const core = await run(`globalThis.enigmKey = () => { ${source} };`);
    return core.step({ is: 'tick', atMs: 0, entropy });
  };

  test.each([
    'eval',
    'Function',
    'Date',
    'Math.random',
    'enigmCrypto',
    'Proxy',
    'WeakRef',
    'performance',
    'require',
    'process',
    'setTimeout',
  ])('has no %s', async (name) => {
    const [found] = await ask(`return JSON.stringify([typeof ${name.includes('.') ? name : `globalThis.${name}`}]);`);
    expect(found).toBe('undefined');
  });

  test.each(['function () {}', 'function* () {}', 'async function () {}', 'async function* () {}', '() => 1', 'class {}'])(
    'cannot make code out of text through %s',
    async (source) => {
      const [found] = await ask(`
        let made = 'nothing';
        try { made = typeof (${source}).constructor('return 1'); } catch { made = 'refused'; }
        return JSON.stringify([made]);`);
      expect(found).not.toBe('function');
    },
  );

  test('is stopped when one input costs too much, runs out of memory or of stack', async () => {
    await expect(ask('for (;;);')).rejects.toThrow('interrupted');
    await expect(ask('const all = []; for (;;) all.push(new Uint8Array(1024));')).rejects.toThrow(/memory/);
    await expect(ask('const f = () => f() + 1; f();')).rejects.toThrow();
  });

  test('a bad ciphertext is null for the script, and undefined for the Key', async () => {
    const source =
      'const host = enigmCrypto; globalThis.enigmKey = () => JSON.stringify([host.open("00".repeat(32), "00".repeat(12), "", "00".repeat(16))]);';
    const core = await run(source);
    expect(core.step({ is: 'tick', atMs: 0, entropy })).toEqual([null]);
    expect(decodeValue('["x:00ff"]')).toEqual([Uint8Array.of(0, 255)]);
  });

  test('needs an engine without a cap to be compiled', async () => {
    using engine = await QuickJS.create({ wasm, memoryLimit: engineLimits.memoryBytes });
    expect(() => engine.evalCode(script)).toThrow();
  });
});
