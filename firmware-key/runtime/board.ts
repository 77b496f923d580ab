/**
 * The board: carries out effects in order, and gives the secure side's answers back as inputs. It powers what the state
 * allows and nothing else, and refuses every effect outside that, whatever the thinking side asks.
 */
import type { Random } from '#hal/ports/random';
import type { Domain, Effect, Pattern } from '../core/effects.ts';
import type { Happening } from '../core/inputs.ts';
import { isAllowed } from '../core/power.ts';
import type { KeyCore } from './core.ts';
import type { Flash } from './flash.ts';
import type { SecureSide } from './secure-side.ts';

/** What leaves the Key. */
export interface Outputs {
  haptic(pattern: Pattern): void;
  advertise(id: Uint8Array): void;
  /** Bytes for the line, of a session or of an alert. */
  write(bytes: Uint8Array, kind: 'link' | 'transmit'): void;
  /** One position is wanted; it comes back as the input `fix`, later and never from within this call. */
  locate(): void;
}

export interface BoardParts {
  readonly core: KeyCore;
  readonly secure: SecureSide;
  readonly flash: Flash;
  readonly random: Random;
  readonly outputs: Outputs;
}

const entropyBytes = 64;

export class Board {
  /** When the Key wants to be woken; undefined when only the world can. */
  wakeMs: number | undefined;
  /** Effects outside of what was powered: a fault of the program, and never carried out. */
  refused = 0;
  powered: readonly Domain[] = [];
  private readonly parts: BoardParts;

  constructor(parts: BoardParts) {
    this.parts = parts;
  }

  /** Power has come. */
  boot(atMs: number): void {
    this.give({ is: 'boot', records: this.parts.flash.readAll() }, atMs);
  }

  /** One thing happens; what the secure side answers to it happens right after. */
  give(happening: Happening, atMs: number): void {
    const queue: Happening[] = [happening];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const entropy = this.parts.random.bytes(entropyBytes);
      queue.push(...this.carryOut(this.parts.core.step({ ...next, atMs, entropy }), atMs));
    }
  }

  private carryOut(effects: readonly Effect[], atMs: number): readonly Happening[] {
    const answers: Happening[] = [];
    const before = this.powered;
    for (const effect of effects) {
      if (effect.do === 'power') this.powered = effect.domains;
      if (!isAllowed(effect, before, this.powered)) this.refused += 1;
      else {
        const answer = this.run(effect, atMs);
        if (answer !== undefined) answers.push(answer);
      }
    }
    return answers;
  }

  private run(effect: Effect, atMs: number): Happening | undefined {
    const { flash, outputs, secure } = this.parts;
    switch (effect.do) {
      case 'persist':
        flash.write(effect.record, effect.value);
        return undefined;
      case 'power':
        return undefined;
      case 'haptic':
        outputs.haptic(effect.pattern);
        return undefined;
      case 'advertise':
        outputs.advertise(effect.id);
        return undefined;
      case 'link':
      case 'transmit':
        outputs.write(effect.bytes, effect.do);
        return undefined;
      case 'locate':
        outputs.locate();
        return undefined;
      case 'handshake':
        return secure.handshake(effect.message, effect.isPairing, atMs);
      case 'prepare': {
        const capsule = secure.prepare(effect.contact, atMs);
        return { is: 'prepared', contact: effect.contact, ...(capsule && { capsule }) };
      }
      case 'dock':
        secure.dock(atMs);
        return undefined;
      case 'tidy':
        secure.tidy(atMs);
        return undefined;
      case 'confirm':
        secure.confirm();
        return undefined;
      case 'code':
        secure.enterCode(effect.digits);
        return undefined;
      case 'contact':
        secure.putContact(effect.contact, effect.publicKey, effect.psk);
        return undefined;
      case 'forget':
        secure.forget(effect.contact);
        return undefined;
      case 'sleep':
        this.wakeMs = effect.untilMs;
        return undefined;
    }
  }
}
