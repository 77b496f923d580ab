/** The image that starts when no slot does: one script, no secret, and a key of its own (SR-33). */
import { concat, u32le } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import type { Base } from './base.ts';
import { recoveryContents } from './contents.ts';
import { buildInitrd, type FirstRoot } from './initrd.ts';
import type { ImageKeys } from './keys.ts';
import { type UkiParts, unifiedImage } from './uki.ts';
import type { FirmwareVariable } from './variable-store.ts';

/** Nobody approves what it measures: it opens no data. @param entries what the firmware is told of the slots where it forgot them */
export const recoveryImage = async (
  base: Base,
  keys: ImageKeys,
  parts: Omit<UkiParts, 'initrd' | 'approver'>,
  firstRoot: Pick<FirstRoot, 'script' | 'program'>,
  entries: readonly FirmwareVariable[],
): Promise<Uint8Array> => {
  const files = entries.map(({ name, attributes, data }) => [`entries/${name}`, concat(u32le(attributes), data)] as const);
  const initrd = await buildInitrd(base, { ...firstRoot, contents: recoveryContents, files: new Map(files) });
  return unwrap(unifiedImage({ ...parts, initrd }, keys.recovery)).file;
};
