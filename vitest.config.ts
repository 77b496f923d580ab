import { defineConfig } from 'vitest/config';

/** A machine starts some times in one test, and each start is a cold one. */
const testTimeoutMs = (name: string) => ({ day: 600_000, warm: 600_000, machine: 1_800_000 })[name] ?? 60_000;
const oneByOne = ['page', 'warm', 'machine'];

/**
 * Tiers by file name. `unit` needs no root and no Debian package; `parts` runs real parts (software TPM, sockets);
 * `day` lives whole days in real processes; `page` looks at the page in Chromium; `warm` goes on with our image from a
 * snapshot, `machine` boots it again and again.
 */
const tier = (name: string, include: string[], exclude: string[] = []) => ({
  test: {
    name,
    include,
    exclude: ['**/node_modules/**', 'dist/**', ...exclude],
    testTimeout: testTimeoutMs(name),
    hookTimeout: name === 'machine' || name === 'warm' ? 1_800_000 : 120_000,
    maxConcurrency: 2,
    fileParallelism: !oneByOne.includes(name),
    // Loading what they test costs unit tests more than they do; none of them leaves anything behind.
    isolate: name !== 'unit',
  },
});

const notUnit = ['parts', 'day', 'page', 'warm', 'machine'].map((name) => `**/*.${name}.test.ts`);

export default defineConfig({
  test: {
    projects: [
      tier('unit', ['**/*.test.ts'], notUnit),
      tier('parts', ['**/*.parts.test.ts']),
      tier('day', ['**/*.day.test.ts']),
      tier('page', ['**/*.page.test.ts']),
      tier('warm', ['**/*.warm.test.ts']),
      tier('machine', ['**/*.machine.test.ts']),
    ],
  },
});
