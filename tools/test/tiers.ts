/** The tiers of tests, as vitest.config.ts has them, each with what it needs and what runs it. */
export const tiers = {
  unit: { needs: 'no root, no Debian package', runner: 'make test' },
  parts: { needs: 'real parts: software TPMs, sockets', runner: 'make test' },
  day: { needs: 'whole days in real processes', runner: 'make test' },
  page: { needs: 'the page in Chromium', runner: 'make test' },
  machine: { needs: 'our image booted in QEMU', runner: 'make test-full' },
} as const;

export type Tier = keyof typeof tiers;

export const isTier = (word: string): word is Tier => Object.hasOwn(tiers, word);
