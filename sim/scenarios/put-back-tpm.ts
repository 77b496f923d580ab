/** An earlier state of the TPM is put back while the device is off: it has attested since. */
import type { Device } from '#sim/world/world';

export const putBackTpm = async (device: Device): Promise<void> => {
  await device.powerOff();
  device.saveTpm();
  for (let boots = 0; boots < 2; boots += 1) {
    await device.powerOn();
    await device.answers();
    await device.enigmctl('attest', 'now');
    await device.powerOff();
  }
  device.restoreTpm();
  await device.powerOn();
  await device.answers();
};
