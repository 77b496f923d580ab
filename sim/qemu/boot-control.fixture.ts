/** `BootControl` of a running machine whose tool is `boot-control`, spoken to at its serial line. */
import { fromHex } from '#hal/core/bytes';
import { ok } from '#hal/core/result';
import type { BootControl, BootState } from '#hal/ports/boot-control';
import { askTool } from './guest-tool.fixture.ts';
import type { RunningMachine } from './machine.ts';

export const guestBootControl = (machine: RunningMachine): BootControl => ({
  async read() {
    const said = await askTool<SaidState>(machine, 'read');
    if (!said.ok) return said;
    const { slot, verityRoot } = said.value.running;
    return ok({ ...said.value, running: { slot, verityRoot: fromHex(verityRoot) ?? new Uint8Array() } });
  },
  armTrial: (slot, tries) => askTool(machine, 'armTrial', slot, tries),
  markUnbootable: (slot) => askTool(machine, 'markUnbootable', slot),
  commit: (slot) => askTool(machine, 'commit', slot),
  markFallback: (slot) => askTool(machine, 'markFallback', slot),
});

interface SaidState extends Omit<BootState, 'running'> {
  readonly running: { readonly slot: BootState['running']['slot']; readonly verityRoot: string };
}
