/**
 * What happens to the data partition at a start (SR-07): made where there is none, opened where this TPM and this boot may,
 * and else left as it is. It is never made again over something that could be opened by somebody.
 */
import { wipe } from '#hal/core/bytes';
import { attemptAsync, codeOf, deny, ok, type Result } from '#hal/core/result';
import type { DataVolume } from '#hal/ports/data-volume';
import type { Random } from '#hal/ports/random';

/** Sealing to the boot that the machine is in. */
export interface BootSeal {
  /** Makes what sealing rests on. Where a volume is whole it was there: if it is gone, nothing makes it again. */
  prepare(): Promise<Result<void>>;
  seal(secret: Uint8Array): Promise<Result<Uint8Array>>;
  unseal(sealed: Uint8Array): Promise<Result<Uint8Array>>;
}

export type Opened = 'made' | 'opened';

const keyBytes = 32;

/** @returns what was done, or `integrity/data-closed` with the cause */
export const openData = async (volume: DataVolume, seal: BootSeal, random: Random): Promise<Result<Opened>> => {
  const state = await volume.inspect();
  if (!state.ok) return closed(state);
  const done = state.value.is === 'whole' ? await open(volume, seal, state.value.sealedKey) : await make(volume, seal, random);
  return done.ok ? done : closed(done);
};

/**
 * Opens, and then ends the phase of the boot in which that can be done, whatever came of the opening: a disk that makes a
 * program of ours fail must not keep the machine from starting without its data.
 *
 * @returns what was opened, or `integrity/data-closed`; and whether the phase has ended: only then may the boot go on
 */
export const openInPhase = async (
  open: () => Promise<Result<Opened>>,
  endPhase: () => Promise<Result<unknown>>,
): Promise<{ readonly opened: Result<Opened>; readonly ended: Result<unknown> }> => {
  const opened = await caught(open);
  return { opened, ended: await caught(endPhase) };
};

const caught = async <T>(run: () => Promise<Result<T>>): Promise<Result<T>> => {
  const ran = await attemptAsync(run, (cause) => deny('integrity', 'data-closed', cause));
  return ran.ok ? ran.value : ran;
};

const open = async (volume: DataVolume, seal: BootSeal, sealedKey: Uint8Array): Promise<Result<Opened>> => {
  const key = await seal.unseal(sealedKey);
  if (!key.ok) return key;
  const opened = await volume.open(key.value);
  wipe(key.value);
  return opened.ok ? ok('opened') : opened;
};

/** Sealed and opened again first, so that no volume is made that this boot could not open. The seal goes to disk last. */
const make = async (volume: DataVolume, seal: BootSeal, random: Random): Promise<Result<Opened>> => {
  const prepared = await seal.prepare();
  if (!prepared.ok) return prepared;
  const key = random.bytes(keyBytes);
  try {
    const sealed = await seal.seal(key);
    if (!sealed.ok) return sealed;
    const again = await seal.unseal(sealed.value);
    if (!again.ok) return again;
    wipe(again.value);
    const made = await volume.make(key);
    if (!made.ok) return made;
    const finished = await volume.finish(sealed.value);
    return finished.ok ? ok('made') : finished;
  } finally {
    wipe(key);
  }
};

const closed = ({ fault }: { readonly fault: Parameters<typeof codeOf>[0] }) =>
  deny('integrity', 'data-closed', fault.detail ?? codeOf(fault));
