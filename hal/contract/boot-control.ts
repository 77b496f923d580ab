/** What every `BootControl` must do, and what the boot loader behind it must. */
import { describe, expect, test } from 'vitest';
import { type Result, unwrap } from '#hal/core/result';
import { type BootControl, maxTries } from '#hal/ports/boot-control';
import type { SlotName } from '#hal/ports/slots';

export interface BootMachine {
  readonly control: BootControl;
  /** The machine starts again. @returns the slot that the boot loader chose */
  restart(): Promise<Result<SlotName>>;
}

/** @param start a new machine each time: slot a is good, preferred and runs; slot b is unbootable */
export const bootControlContract = (name: string, start: () => Promise<BootMachine>): void => {
  describe(`BootControl: ${name}`, () => {
    test('says what runs and what each slot is', async () => {
      const { control } = await start();
      expect(unwrap(await control.read())).toMatchObject({
        running: { slot: 'a' },
        preferred: 'a',
        slots: { a: { state: 'good', triesLeft: 0 }, b: { state: 'unbootable', triesLeft: 0 } },
      });
    });

    test('a trial comes first, each start costs one try, and only the trial loses tries', async () => {
      const { control, restart } = await start();
      unwrap(await control.armTrial('b', 2));
      for (const triesLeft of [1, 0]) {
        expect(unwrap(await restart())).toBe('b');
        expect(unwrap(await control.read())).toMatchObject({
          running: { slot: 'b' },
          slots: { b: { state: 'trial', triesLeft } },
        });
      }
      expect(unwrap(await restart())).toBe('a');
      expect(unwrap(await control.read())).toMatchObject({
        running: { slot: 'a' },
        slots: { a: { state: 'good', triesLeft: 0 }, b: { state: 'trial', triesLeft: 0 } },
      });
    });

    test('a committed slot comes first for good; the other stays startable', async () => {
      const { control, restart } = await start();
      unwrap(await control.armTrial('b', 1));
      expect(unwrap(await restart())).toBe('b');
      unwrap(await control.commit('b'));
      for (let again = 0; again < 3; again += 1) expect(unwrap(await restart())).toBe('b');
      expect(unwrap(await control.read())).toMatchObject({
        preferred: 'b',
        slots: { a: { state: 'good' }, b: { state: 'good', triesLeft: 0 } },
      });
      unwrap(await control.markUnbootable('b'));
      expect(unwrap(await restart())).toBe('a');
    });

    test('a fallback is startable and does not come first', async () => {
      const { control, restart } = await start();
      unwrap(await control.markFallback('b'));
      expect(unwrap(await restart())).toBe('a');
      expect(unwrap(await control.read())).toMatchObject({ preferred: 'a', slots: { b: { state: 'good' } } });
    });

    test('every order may be repeated', async () => {
      const { control } = await start();
      for (const order of [
        () => control.armTrial('b', 3),
        () => control.markUnbootable('b'),
        () => control.markFallback('b'),
        () => control.commit('b'),
      ]) {
        unwrap(await order());
        const once = unwrap(await control.read());
        unwrap(await order());
        expect(unwrap(await control.read())).toEqual(once);
      }
    });

    test.each([0, maxTries + 1, 1.5, -1])('refuses %d tries', async (tries) => {
      const { control } = await start();
      expect(await control.armTrial('b', tries)).toMatchObject({
        ok: false,
        fault: { category: 'protocol', reason: 'field-invalid' },
      });
      expect(unwrap(await control.read())).toMatchObject({ slots: { b: { state: 'unbootable' } } });
    });
  });
};
