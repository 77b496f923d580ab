/**
 * UEFI firmware and a first root over registers of recorded media: what OVMF and `sim/image/guest/initrd.sh` do with their
 * variables at a start, one write after the other, each whole or not at all (UEFI 2.10 §8.2, `SetVariable`).
 * `sim/qemu/boot-control.machine.test.ts` has the real ones.
 */
import { u16le, utf8 } from '#hal/core/bytes';
import { bootVariable, decodeBootOrder } from '#hal/core/efi-load-option';
import { globalVendor } from '#hal/core/guid';
import { deny, done, ok, type Result, unwrap } from '#hal/core/result';
import { begunVariable, pointNext } from '#hal/linux/boot-guard';
import { efiBootControl, entryNumbers, readTrial, trialVariable } from '#hal/linux/efi-boot-control';
import type { EfiVariables } from '#hal/linux/efi-variables';
import type { RecordedMedia } from '#hal/memory/recorded-media';
import type { BootControl, RunningSlot } from '#hal/ports/boot-control';
import { type SlotName, slotNames } from '#hal/ports/slots';

const names = ['BootOrder', 'BootNext', ...slotNames.map((slot) => bootVariable(entryNumbers[slot]))];
const ours = [trialVariable.name, begunVariable.name];
export const firmwareRegisters: readonly string[] = [...names, ...ours];

const entryOf = (number: number) => ({
  number,
  startSector: 2048 * number,
  sectors: 2048,
  uuid: `0000000${number}-0000-4000-8000-000000000000`,
});

/** What a start says that ended in the third image: it fetches a repair and nothing else (SR-33). */
export const recoveryStarts = 'recovery starts';
const maxStarts = 8;

export const firmware = (media: RecordedMedia) => {
  const variables = registerVariables(media);
  const read = (name: string, vendor: string) => unwrap(variables.read(name, vendor)) ?? new Uint8Array();
  const slotOf = (number: number | undefined): SlotName | undefined => slotNames.find((slot) => entryNumbers[slot] === number);
  /** The firmware forgets `BootNext` before it starts it. */
  const choose = async (): Promise<SlotName | undefined> => {
    const [next] = decodeBootOrder(read('BootNext', globalVendor));
    if (next !== undefined) unwrap(await variables.remove('BootNext', globalVendor));
    const numbers = [...(next === undefined ? [] : [next]), ...decodeBootOrder(read('BootOrder', globalVendor))];
    const isThere = (number: number) => read(bootVariable(number), globalVendor).length > 0;
    return slotOf(numbers.find((number) => number === entryNumbers.recovery || isThere(number)));
  };
  /** Counts a try of the trial and a start that has begun, and says where the next one goes. */
  const firstRoot = async (slot: SlotName): Promise<void> => {
    const before = Buffer.from(read(begunVariable.name, begunVariable.vendor)).toString('latin1');
    let next = nextAfter(`${before}${slot}`);
    const trial = unwrap(readTrial(variables));
    if (trial?.slot === slot && trial.triesLeft > 0) {
      const triesLeft = trial.triesLeft - 1;
      unwrap(await variables.write(trialVariable.name, trialVariable.vendor, utf8(`${slot}${triesLeft}`)));
      if (triesLeft > 0) next = entryNumbers[slot];
    }
    unwrap(await variables.write(begunVariable.name, begunVariable.vendor, utf8(`${before}${slot}`)));
    if (next !== undefined) unwrap(await variables.write('BootNext', globalVendor, u16le(next)));
  };
  return {
    control: (running: () => Promise<Result<RunningSlot>>): BootControl =>
      efiBootControl({
        ...{ variables, partitions: { a: entryOf(2), b: entryOf(3) }, path: '\\EFI\\BOOT\\BOOTX64.EFI' },
        ...{ running, startEnded: async () => done },
      }),
    /** @param opens whether dm-verity opens a slot: the machine resets where it does not */
    async chooseSlot(opens: (slot: SlotName) => boolean): Promise<Result<SlotName>> {
      for (let starts = 0; starts < maxStarts; starts += 1) {
        const slot = await choose();
        if (slot === undefined) return deny('unavailable', 'storage-failed', recoveryStarts);
        await firstRoot(slot);
        if (!opens(slot)) continue;
        // The end of this start, as `endStart` has it.
        unwrap(await pointNext(variables, slot));
        unwrap(await variables.remove(begunVariable.name, begunVariable.vendor));
        return ok(slot);
      }
      return deny('unavailable', 'storage-failed', `${maxStarts} starts came to no end`);
    },
  };
};

/** Two starts of one slot that came to no end: the other slot. Both slots, or three starts: recovery. */
const nextAfter = (begun: string): number | undefined => {
  if (/a.*b|b.*a|aaa$|bbb$/.test(begun)) return entryNumbers.recovery;
  if (begun.endsWith('aa')) return entryNumbers.b;
  return begun.endsWith('bb') ? entryNumbers.a : undefined;
};

const registerVariables = (media: RecordedMedia): EfiVariables => ({
  read(name) {
    const bytes = media.readRegister(name);
    return ok(bytes.length === 0 ? undefined : bytes);
  },
  async write(name, _vendor, data) {
    media.writeRegister(name, data);
    return done;
  },
  async remove(name) {
    if (media.readRegister(name).length > 0) media.writeRegister(name, new Uint8Array());
    return done;
  },
});
