import { defineConfig } from 'vitest/config';

/** A machine starts some times in one test, and each start is a cold one. */
const testTimeoutMs = (name: string) => ({ day: 600_000, machine: 1_800_000 })[name] ?? 60_000;

/**
 * Tiers by file name. `unit` needs no root and no Debian package; `parts` runs real parts (software TPM, sockets);
 * `day` lives whole days in real processes; `page` looks at the page in Chromium; `machine` boots our image in QEMU.
 */
const tier = (name: string, include: string[], exclude: string[] = []) => ({
  test: {
    name,
    include,
    exclude: ['**/node_modules/**', 'dist/**', ...exclude],
    testTimeout: testTimeoutMs(name),
    hookTimeout: name === 'machine' ? 1_800_000 : 120_000,
    maxConcurrency: 2,
    fileParallelism: name !== 'page' && name !== 'machine',
    // Loading what they test costs unit tests more than they do; none of them leaves anything behind.
    isolate: name !== 'unit',
  },
});

export default defineConfig({
  test: {
    projects: [
      tier('unit', ['**/*.test.ts'], ['**/*.parts.test.ts', '**/*.day.test.ts', '**/*.page.test.ts', '**/*.machine.test.ts']),
      tier('parts', ['**/*.parts.test.ts']),
      tier('day', ['**/*.day.test.ts']),
      tier('page', ['**/*.page.test.ts']),
      tier('machine', ['**/*.machine.test.ts']),
    ],
  },
});
