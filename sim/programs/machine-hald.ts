/**
 * The hands of a machine in an emulator: those of a release, with the parts that an emulator has not from its simulator.
 * In the simulator's image alone (SR-04).
 */
import { runMachineHands } from '#agents/programs/machine-hands';
import { linuxClock } from '#hal/linux/clock';
import { memoryAppHost } from '#hal/memory/app-host';
import { peripheralMethods } from '#hal/remote/peripheral-methods';
import { remotePeripherals } from '#hal/remote/peripherals';
import { socketClient } from '#hal/remote/socket-client';
import { peripheralsSocket } from '#sim/doors/doors';

const { switches, signals, supply, isWell } = remotePeripherals(socketClient(peripheralMethods, peripheralsSocket));

runMachineHands({
  ...{ switches, signals, supply, apps: memoryAppHost(linuxClock()) },
  probes: (running) => [
    {
      name: 'simulated',
      async run() {
        const slot = await running();
        return slot.ok && isWell(slot.value.verityRoot);
      },
    },
  ],
  isSimulated: true,
});
