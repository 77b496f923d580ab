import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '#hal/crypto/node';
import { seededRandom } from '#hal/memory/random';
import type { Happening } from './core/inputs.ts';
import { stateNa } from './core/ledger.ts';
import { reduce } from './core/reduce.ts';
import { factoryState, type KeyState } from './core/state.ts';
import { keyCrypto } from './runtime/key-crypto.ts';
import { chanceOf, World } from './world.fixture.ts';

const dayMs = 86_400_000;
/** A watchdog each hundred seconds: the only thing that wakes a dormant Key by itself. */
const watchdogMs = 100_000;

const crypto = keyCrypto(nodeCrypto, new Uint8Array(32), 1);
const entropy = new Uint8Array(64).fill(9);
const dormant: KeyState = { ...factoryState, visible: 'dormant' };

describe('dormancy', () => {
  test.each([
    [30, 25_920],
    [5 * 365, 1_576_800],
  ])('%i days: not one byte, no position, no timer, and the ledger is the closed form', (days, wakes) => {
    let state = dormant;
    const step = days > 30 ? 864 : 1; // five years in sleeps of a day: the sum is the same
    for (let wake = 1; wake <= wakes; wake += step) {
      const made = reduce(crypto, state, { is: 'watchdog', atMs: (wake + step - 1) * watchdogMs, entropy });
      for (const effect of made.effects) {
        expect(['persist', 'tidy', 'sleep']).toContain(effect.do);
        if (effect.do === 'sleep') expect(effect.untilMs).toBeUndefined();
      }
      state = made.state;
    }
    expect(state.visible).toBe('dormant');
    const sleptMs = state.ledger.atMs;
    expect(sleptMs).toBeGreaterThanOrEqual(days * dayMs - step * watchdogMs);
    expect(state.ledger.usedPc).toBe(stateNa.dormant * sleptMs);
  });

  test('30 days in a world of its own: the line, the air and the motor are silent', () => {
    const world = new World({ seed: 1, docks: 1 });
    for (let day = 0; day < 30; day++) {
      world.give({ is: 'watchdog' });
      world.give({ is: 'battery', percent: 100 - day });
      world.give({ is: 'fix', latitudeE7: 1, longitudeE7: 2, accuracyM: 3 });
      world.give({ is: 'digits', digits: Uint8Array.of(1, 2, 3, 4) });
      world.run(dayMs);
    }
    expect([world.written, world.located, world.felt, world.advertised, world.board.refused]).toEqual([[], [], [], [], 0]);
    expect([world.board.powered, world.board.wakeMs, world.stored.visible]).toEqual([[], undefined, 'dormant']);
  });

  test('noise on every input leaves it for no more than a minute at a time, and sends nothing', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const chance = chanceOf(seed);
      const random = seededRandom(seed);
      let [state, atMs, wakes, wakeMs] = [dormant, 0, 0, undefined as number | undefined];
      const give = (happening: Happening): void => {
        const before = state.visible;
        const made = reduce(crypto, state, { ...happening, atMs, entropy });
        state = made.state;
        if (before === 'dormant' && state.visible === 'wake') wakes += 1;
        for (const effect of made.effects) {
          if (effect.do === 'sleep') wakeMs = effect.untilMs;
          expect(['transmit', 'locate', 'haptic', 'link']).not.toContain(effect.do);
        }
      };
      for (let step = 0; step < 400; step++) {
        atMs += chance.below(900);
        if (wakeMs !== undefined && wakeMs <= atMs) give({ is: 'tick' });
        const bounce: Happening = {
          is: 'button',
          button: chance.percent(50) ? 'sos' : 'side',
          isDown: chance.percent(50),
        };
        const happenings: Happening[] = [
          bounce,
          { is: 'cable', isPresent: chance.percent(70) },
          { is: 'received', bytes: random.bytes(chance.below(40)) },
        ];
        const next = happenings[chance.below(3)];
        if (next?.is === 'button') {
          give(next);
          atMs += chance.below(15); // shorter than any contact settles
          give({ ...next, isDown: false });
        } else if (next !== undefined) give(next);
        expect(['dormant', 'wake']).toContain(state.visible);
      }
      expect(wakes).toBeLessThanOrEqual(1 + atMs / 60_000);
    }
  });
});
