/**
 * The tiers of tests, as vitest.config.ts has them, each with what it needs, what runs it, and how many of its files run at
 * once on a processor.
 */
export const tiers = {
  unit: { needs: 'no root, no Debian package', runner: 'make test', filesPerProcessor: 1 },
  parts: { needs: 'real parts: software TPMs, sockets', runner: 'make test', filesPerProcessor: 1 },
  /** They mostly wait. */
  day: { needs: 'whole days in real processes', runner: 'make test', filesPerProcessor: 1.5 },
  page: { needs: 'the page in Chromium', runner: 'make test', filesPerProcessor: 1 },
  warm: { needs: 'our image in QEMU, gone on with from a snapshot', runner: 'make test', filesPerProcessor: 1 },
  machine: { needs: 'our image booted in QEMU again and again', runner: 'make test-full', filesPerProcessor: 1 },
} as const;

export type Tier = keyof typeof tiers;

export const isTier = (word: string): word is Tier => Object.hasOwn(tiers, word);
