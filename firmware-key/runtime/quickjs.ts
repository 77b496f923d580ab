/**
 * The Key's script in QuickJS (WebAssembly), capped as on a board: memory, stack, work for one input.
 *
 * The script is compiled in an engine without a cap and loaded as bytecode without source or debug tables, as the board
 * loads it from flash; compiling 28 KB needs more than the Key has. Pure-JavaScript cryptography does not fit under the
 * cap either, so the secure side's functions are the host's (`enigmCrypto`). After loading nothing can turn text into
 * code: `eval`, `Function` and the constructors behind function prototypes are gone.
 */
import { CompileFlags, Intrinsics, type JSValueHandle, QuickJS } from 'quickjs-wasi';
import type { KeyCrypto } from '../core/crypto.ts';
import type { Effect } from '../core/effects.ts';
import { ofHex, toHex } from '../core/octets.ts';
import { decodeValue, encodeValue } from '../core/records.ts';
import type { KeyCore } from './core.ts';

export const engineLimits = {
  memoryBytes: 384 * 1024,
  stackBytes: 64 * 1024,
  /** Calls of the engine's interrupt handler for one input; the dearest one of the tests needs fewer than 20. */
  interrupts: 200,
} as const;

type EngineModule = Parameters<typeof QuickJS.create>[0]['wasm'];

export interface EngineParts {
  /** `quickjs.wasm` of the package quickjs-wasi. */
  readonly wasm: EngineModule;
  /** dist/key/key.js */
  readonly script: string;
}

/** Whatever a key does not need is not there: no clock above all. */
const absent =
  Intrinsics.PROXY |
  Intrinsics.WEAK_REF |
  Intrinsics.DATE |
  Intrinsics.PERFORMANCE |
  Intrinsics.DOM_EXCEPTION |
  Intrinsics.ATOB_BTOA;
const intrinsics = (Intrinsics.ALL & ~absent) >>> 0;

/** Runs after the script: takes away chance, and every way from text to code. */
const harden = `(() => {
  const kinds = [function () {}, function* () {}, async function () {}, async function* () {}];
  for (const kind of kinds) delete Object.getPrototypeOf(kind).constructor;
  delete Math['random'];
  for (const name of ['eval', 'Function', 'enigmCrypto']) delete globalThis[name];
})();`;

export interface EngineCore extends KeyCore {
  /** Bytes that the engine has allocated now. */
  readonly usedBytes: () => number;
  /** Most calls of the interrupt handler that one input took. */
  readonly mostInterrupts: () => number;
  close(): void;
}

/** Bytecode for `quickJsCore`; the same for every Key that runs this script. */
export const compileKey = async ({ wasm, script }: EngineParts): Promise<Uint8Array> => {
  using engine = await QuickJS.create({ wasm, intrinsics });
  return engine.compile(script, 'key.js', 0, CompileFlags.STRIP_SOURCE | CompileFlags.STRIP_DEBUG);
};

/** @throws when the script exceeds a limit: a fault of the program, after which the engine is not used again */
export const quickJsCore = async (wasm: EngineModule, bytecode: Uint8Array, crypto: KeyCrypto): Promise<EngineCore> => {
  let spent = 0;
  let most = 0;
  const engine = await QuickJS.create({
    wasm,
    intrinsics,
    memoryLimit: engineLimits.memoryBytes,
    maxStackSize: engineLimits.stackBytes,
    interruptHandler: () => {
      spent += 1;
      return spent > engineLimits.interrupts;
    },
  });
  offerCrypto(engine, crypto);
  engine.evalBytecode(bytecode).dispose();
  engine.evalCode(harden).dispose();
  const step = engine.global.getProp('enigmKey');
  return {
    step(input) {
      spent = 0;
      using text = engine.newString(encodeValue(input));
      using result = engine.callFunction(step, engine.undefined, text);
      most = Math.max(most, spent);
      return decodeValue(result.toString()) as readonly Effect[];
    },
    usedBytes: () => engine.getMemoryUsage().mallocSize,
    mostInterrupts: () => most,
    close() {
      step.dispose();
      engine.dispose();
    },
  };
};

const offerCrypto = (engine: QuickJS, crypto: KeyCrypto): void => {
  using host = engine.newObject();
  const offer = (name: keyof KeyCrypto, run: (...parts: Uint8Array[]) => Uint8Array | undefined): void => {
    using bridge = engine.newFunction(name, (...args: JSValueHandle[]) => {
      const result = run(...args.map((arg) => ofHex(arg.toString())));
      return result === undefined ? engine.null : engine.newString(toHex(result));
    });
    engine.setProp(host, name, bridge);
  };
  const none = new Uint8Array(0);
  offer('hmac', (key = none, data = none) => crypto.hmac(key, data));
  offer('seal', (key = none, nonce = none, associated = none, plaintext = none) =>
    crypto.seal(key, nonce, associated, plaintext),
  );
  offer('open', (key = none, nonce = none, associated = none, sealed = none) => crypto.open(key, nonce, associated, sealed));
  offer('pinTag', (salt = none, pin = none) => crypto.pinTag(salt, pin));
  engine.setProp(engine.global, 'enigmCrypto', host);
};
