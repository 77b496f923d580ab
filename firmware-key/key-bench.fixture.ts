/** A new Key on somebody else's clock and line, with fingers: for tests of hosts. */
import { nodeCrypto } from '#hal/crypto/node';
import type { VirtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { seededRandom } from '#hal/memory/random';
import type { Domain, Pattern } from './core/effects.ts';
import type { Happening } from './core/inputs.ts';
import { Board } from './runtime/board.ts';
import { nativeCore } from './runtime/core.ts';
import { memoryPages, pairedFlash } from './runtime/flash.ts';
import { secureSide } from './runtime/secure-side.ts';

export class KeyBench {
  readonly cardSecret = new Uint8Array(16).fill(0x33);
  readonly felt: Pattern[] = [];
  private readonly clock: VirtualClock;
  private readonly board: Board;
  private wakes = 0;

  constructor(clock: VirtualClock, write: (bytes: Uint8Array) => void) {
    this.clock = clock;
    const random = seededRandom('bench');
    const options = { backend: nodeCrypto, random, store: memoryStore(), transport: 'serial', pinRounds: 2 } as const;
    const secure = secureSide({ ...options, cardSecret: this.cardSecret });
    this.board = new Board({
      core: nativeCore(secure.crypto),
      secure,
      flash: pairedFlash(memoryPages()),
      random,
      outputs: {
        haptic: (pattern) => void this.felt.push(pattern),
        advertise: () => undefined,
        write,
        locate: () => queueMicrotask(() => this.give({ is: 'fix', latitudeE7: 10, longitudeE7: -20, accuracyM: 5 })),
      },
    });
    this.board.boot(clock.bootMs());
  }

  get powered(): readonly Domain[] {
    return this.board.powered;
  }

  give(happening: Happening): void {
    this.board.give(happening, this.clock.bootMs());
    this.wakes += 1;
    const [mine, { wakeMs }] = [this.wakes, this.board];
    if (wakeMs === undefined) return;
    const never = new AbortController().signal;
    void this.clock.sleep(Math.max(0, wakeMs - this.clock.bootMs()), never).then(() => {
      if (mine === this.wakes) this.give({ is: 'tick' });
    });
  }

  cable(isPresent: boolean): void {
    this.give({ is: 'cable', isPresent });
  }

  async press(heldMs: number): Promise<void> {
    this.give({ is: 'button', button: 'sos', isDown: true });
    await this.clock.advance(heldMs);
    this.give({ is: 'button', button: 'sos', isDown: false });
  }

  async chord(): Promise<void> {
    for (const isDown of [true, false]) {
      for (const button of ['side', 'sos'] as const) this.give({ is: 'button', button, isDown });
      await this.clock.advance(2_100);
    }
  }
}
