/**
 * Says an order to the `BootControl` of the machine that it runs on, at its serial line, and prints what came of it.
 *
 * usage: node boot-control.cjs read | armTrial SLOT TRIES | markUnbootable SLOT | commit SLOT | markFallback SLOT
 */
import { installed } from '#agents/package/places';
import { startEndedPath } from '#agents/programs/layout';
import { toHex } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { linuxCommands } from '#hal/linux/commands';
import { linuxEfiVariables } from '#hal/linux/efi-variables';
import { machineBootControl } from '#hal/linux/machine-boot';
import type { BootControl } from '#hal/ports/boot-control';
import type { SlotName } from '#hal/ports/slots';

type Order = (control: BootControl, slot: SlotName, number: number) => Promise<Result<unknown>>;

const orders: Readonly<Record<keyof BootControl, Order>> = {
  async read(control) {
    const state = await control.read();
    if (!state.ok) return state;
    const { slot, verityRoot } = state.value.running;
    return ok({ ...state.value, running: { slot, verityRoot: toHex(verityRoot) } });
  },
  armTrial: (control, slot, tries) => control.armTrial(slot, tries),
  markUnbootable: (control, slot) => control.markUnbootable(slot),
  commit: (control, slot) => control.commit(slot),
  markFallback: (control, slot) => control.markFallback(slot),
};

const [name = '', slot, tries] = process.argv.slice(2);
const control = machineBootControl({
  variables: linuxEfiVariables(linuxCommands()),
  clock: linuxClock(),
  startEndedPath: startEndedPath(installed.runDirectory),
});
const order = orders[name as keyof BootControl];
void (control.ok ? order(control.value, slot as SlotName, Number(tries)) : Promise.resolve(control)).then((said) =>
  process.stdout.write(`${JSON.stringify(said)}\n`),
);
