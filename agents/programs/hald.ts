/** enigm-hald, the hands: the one program with devices. This is the release entry; nothing of a simulator is in it (SR-04). */
import { noAppHost, noSignals, noSwitches } from '#hal/linux/unsupported';
import { runMachineHands } from './machine-hands.ts';

runMachineHands({ signals: noSignals, switches: noSwitches, apps: noAppHost, isSimulated: false });
