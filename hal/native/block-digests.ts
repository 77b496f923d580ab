/** Leaves of a hash tree in one native call for many blocks; a call for each costs as much again as its hash. */
import { ok, type Result } from '#hal/core/result';
import { type Addon, loadAddon } from './load.ts';

/** SHA-256 of a salt (at most 256 bytes) and each block of 4 KiB, side by side. @throws above 16 MiB */
export type BlockDigestsFor = (salt: Uint8Array) => (blocks: Uint8Array) => Uint8Array;

/** @returns `unavailable/tpm-missing` where the addon cannot be loaded */
export const nativeBlockDigests = (addonPath: string, build: Addon['build']): Result<BlockDigestsFor> => {
  const addon = loadAddon(addonPath, build);
  if (!addon.ok) return addon;
  return ok((salt) => (blocks) => addon.value.blockDigests(salt, blocks));
};
