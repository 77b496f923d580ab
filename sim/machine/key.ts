/**
 * The Enigm Key of the day: its firmware in QuickJS under its cap, behind a pseudo-terminal. Its buttons and its clock
 * are the hands of whoever plays the wearer: time passes for the Key when they say so, and nobody waits a minute here.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pattern } from '#firmware-key/core/effects';
import type { Happening } from '#firmware-key/core/inputs';
import { Board } from '#firmware-key/runtime/board';
import { memoryPages, pairedFlash } from '#firmware-key/runtime/flash';
import { compileKey, type EngineCore, quickJsCore } from '#firmware-key/runtime/quickjs';
import { secureSide } from '#firmware-key/runtime/secure-side';
import { ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryStore } from '#hal/memory/durable-store';
import type { Clock } from '#hal/ports/clock';
import type { Random } from '#hal/ports/random';
import type { OpenLine } from './line.ts';

export interface SimulatedKey {
  /** Its line, as the device sees it. */
  readonly linkPath: string;
  /** Printed on its card: 16 bytes. */
  readonly cardSecret: Uint8Array;
  /** Power has come; also after a cut. */
  powerOn(): Promise<void>;
  /** Whatever was not durable is gone. */
  powerCut(): void;
  dock(): void;
  undock(): void;
  /** The button is held down for so long and then let go; countdown and the rest of time are `pass`. */
  press(heldMs: number): void;
  /** Both buttons, for so long. */
  chord(heldMs: number): void;
  /** Time passes for the Key, and for nobody else. */
  pass(durationMs: number): void;
  typeDigits(digits: readonly number[]): void;
  cancelPin(): void;
  duressPin(): void;
  /** Bytes that the Key has put on its line since it was made. */
  bytesOnLink(): number;
  positionsSampled(): number;
  /** What the wearer felt since it was made, oldest first. */
  felt(): readonly Pattern[];
  /** The parts of the board that have power now. */
  powered(): readonly string[];
  /** What the engine has of its 384 KiB now. */
  usedBytes(): number;
  /** What somebody finds who takes it apart: every page of its flash, and all that the secure side keeps. */
  seize(): readonly Uint8Array[];
  close(): Promise<void>;
}

export interface SimulatedKeyOptions {
  /** Folder of the Key's line. */
  readonly directory: string;
  /** dist/key. */
  readonly firmware: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly openLine: OpenLine;
}

/** Whatever the wearer chose at set-up. */
export const keyPins = { cancel: Uint8Array.of(2, 7, 1, 8), duress: Uint8Array.of(8, 1, 7, 2) } as const;
/** HMACs for one PIN: a board has more, a simulator is not guarded by them. */
const pinRounds = 64;

/** A new Key, without power. @returns it, or `unavailable/not-supported` where this machine has no line for it */
export const simulatedKey = async ({
  directory,
  firmware,
  clock,
  random,
  openLine,
}: SimulatedKeyOptions): Promise<Result<SimulatedKey>> => {
  const opened = await openLine(join(directory, 'line'), clock);
  if (!opened.ok) return opened;
  const line = opened.value;
  const cardSecret = random.bytes(16);
  const pages = new Map<string, Uint8Array>();
  const vault = new Map<string, Uint8Array>();
  const felt: Pattern[] = [];
  let bytesOnLink = 0;
  let positions = 0;
  let keyMs = 0;
  let bytecode: Promise<Uint8Array> | undefined;
  let engine: EngineCore | undefined;
  let board: Board | undefined;

  const give = (happening: Happening): void => board?.give(happening, keyMs);
  const pass = (durationMs: number): void => {
    for (const untilMs = keyMs + durationMs; keyMs < untilMs; ) {
      keyMs = Math.min(untilMs, Math.max(keyMs, board?.wakeMs ?? untilMs));
      give({ is: 'tick' });
      if (board?.wakeMs !== undefined && board.wakeMs <= keyMs) throw new Error('the Key wants to be woken in the past');
    }
  };
  const button = (name: 'sos' | 'side', isDown: boolean): void => give({ is: 'button', button: name, isDown });
  const powerCut = (): void => {
    board = undefined;
    engine?.close();
    engine = undefined;
  };
  /** A walk, so that every position is another one. */
  const nextFix = (): Happening => {
    positions += 1;
    return { is: 'fix', latitudeE7: 464_000_000 + positions * 1_000, longitudeE7: 66_000_000 - positions * 500, accuracyM: 12 };
  };

  line.onBytes((bytes) => give({ is: 'received', bytes }));
  return ok({
    linkPath: line.path,
    cardSecret,
    async powerOn() {
      powerCut();
      const wasm = readFileSync(join(firmware, 'quickjs.wasm'));
      bytecode ??= compileKey({ wasm, script: readFileSync(join(firmware, 'key.js'), 'utf8') });
      const secure = secureSide({
        ...{ backend: nodeCrypto, random, transport: 'serial', pinRounds, cardSecret },
        store: memoryStore(vault),
      });
      engine = await quickJsCore(wasm, await bytecode, secure.crypto);
      board = new Board({
        core: engine,
        secure,
        random,
        flash: pairedFlash(memoryPages(pages)),
        outputs: {
          haptic: (pattern) => void felt.push(pattern),
          advertise: () => undefined,
          write(bytes) {
            bytesOnLink += bytes.length;
            line.write(bytes);
          },
          locate: () => queueMicrotask(() => give(nextFix())),
        },
      });
      board.boot(keyMs);
    },
    powerCut,
    dock: () => give({ is: 'cable', isPresent: true }),
    undock: () => give({ is: 'cable', isPresent: false }),
    press(heldMs) {
      button('sos', true);
      pass(heldMs);
      button('sos', false);
      pass(50);
    },
    chord(heldMs) {
      button('sos', true);
      button('side', true);
      pass(heldMs);
      button('sos', false);
      button('side', false);
      pass(50);
    },
    pass,
    typeDigits: (digits) => give({ is: 'digits', digits: Uint8Array.from(digits) }),
    cancelPin: () => give({ is: 'digits', digits: keyPins.cancel }),
    duressPin: () => give({ is: 'digits', digits: keyPins.duress }),
    bytesOnLink: () => bytesOnLink,
    positionsSampled: () => positions,
    felt: () => [...felt],
    powered: () => board?.powered ?? [],
    usedBytes: () => engine?.usedBytes() ?? 0,
    seize: () => [...pages.values(), ...vault.values()],
    async close() {
      powerCut();
      await line.close();
    },
  });
};
