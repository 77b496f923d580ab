/** Parts that an emulator has not, as ports over a door: its simulator has them. In no release (SR-04). */
import { done, ok } from '#hal/core/result';
import type { Signals } from '#hal/ports/signals';
import type { Supply } from '#hal/ports/supply';
import type { Switches } from '#hal/ports/switches';
import type { Client, Handlers } from '#hal/remote/methods';
import type { PeripheralMethods } from '#hal/remote/peripheral-methods';
import { switchHandlers, switchStates } from '#hal/remote/switches-door';

export interface Peripherals {
  readonly switches: Switches;
  readonly signals: Signals;
  readonly supply: Supply;
  /** Whether a machine is well that runs this root. */
  readonly isWell: (verityRoot: Uint8Array) => Promise<boolean>;
}

const probe = 'simulated';

export const peripheralHandlers = ({ switches, signals, supply, isWell }: Peripherals): Handlers<PeripheralMethods> => ({
  ...switchHandlers(switches),
  'signals.take': async () => {
    const windows = await signals.take();
    return windows.ok ? ok({ windows: windows.value }) : windows;
  },
  'supply.read': () => supply.read(),
  'health.read': async ({ root }) => ok({ readings: [{ name: probe, hasPassed: await isWell(root) }] }),
});

export const remotePeripherals = (client: Client<PeripheralMethods>): Peripherals => ({
  switches: {
    async set(name, isOn) {
      const set = await client.call('switches.set', { name, isOn });
      return set.ok ? done : set;
    },
    read: async () => switchStates(await client.call('switches.read', {})),
  },
  signals: {
    async take() {
      const taken = await client.call('signals.take', {});
      return taken.ok ? ok(taken.value.windows) : taken;
    },
  },
  supply: { read: () => client.call('supply.read', {}) },
  async isWell(root) {
    const read = await client.call('health.read', { root });
    return read.ok && read.value.readings.every(({ hasPassed }) => hasPassed);
  },
});
