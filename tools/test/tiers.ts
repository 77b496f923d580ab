/** The tiers of tests, as vitest.config.ts has them, each with what it needs. */
export const tiers = {
  unit: 'no root, no Debian package',
  parts: 'real parts: software TPMs, sockets',
  day: 'whole days in real processes',
  page: 'the page in Chromium',
} as const;

export type Tier = keyof typeof tiers;

export const isTier = (word: string): word is Tier => Object.hasOwn(tiers, word);
