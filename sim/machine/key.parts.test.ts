/** The simulator's Key: what leaves it on its line, what it forgets and what it keeps over a power cut. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { linuxSerialLinks } from '#hal/linux/serial-link';
import { seededRandom } from '#hal/memory/random';
import { type SimulatedKey, simulatedKey } from './key.ts';
import { openLine } from './line.ts';

const firmware = join(import.meta.dirname, '../../dist/key');
/** A zero byte and a hello: what a host says first (firmware-key/core/handshake-messages). */
const patienceMs = 5_000;

let directory: string;
let key: SimulatedKey;
beforeEach(async () => {
  // A folder whose name has what socat takes for a separator.
  directory = mkdtempSync(join(tmpdir(), 'enigm key,'));
  key = unwrap(await simulatedKey({ directory, firmware, clock: linuxClock(), random: seededRandom('key'), openLine }));
  await key.powerOn();
});
afterEach(async () => {
  await key.close();
  rmSync(directory, { recursive: true, force: true });
});

test('serialport opens its line, and again after it was closed', async () => {
  const links = linuxSerialLinks({ path: key.linkPath });
  for (let time = 0; time < 3; time += 1) {
    await expect
      .poll(
        async () => {
          const opened = await links.open();
          if (opened.ok) await opened.value.close();
          return opened.ok;
        },
        { timeout: patienceMs },
      )
      .toBe(true);
  }
});

test('a Key without power hears nothing and says nothing; one that nobody set up never samples a position', async () => {
  key.powerCut();
  key.press(10_000);
  key.pass(86_400_000);
  await key.powerOn();
  key.press(6_000);
  key.pass(86_400_000);
  expect([key.bytesOnLink(), key.positionsSampled(), key.felt()]).toEqual([0, 0, []]);
});

test('its engine stays under its cap', () => {
  expect(key.usedBytes()).toBeGreaterThan(50 * 1024);
  expect(key.usedBytes()).toBeLessThan(384 * 1024);
});
