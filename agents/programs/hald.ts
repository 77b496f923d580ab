/** enigm-hald, the hands: the one program with devices. This is the release entry; nothing of a simulator is in it (SR-04). */
import { linuxSupply } from '#hal/linux/supply';
import { noAppHost, noSignals, noSwitches } from '#hal/linux/unsupported';
import { runMachineHands } from './machine-hands.ts';

runMachineHands({ signals: noSignals, supply: linuxSupply(), switches: noSwitches, apps: noAppHost, isSimulated: false });
