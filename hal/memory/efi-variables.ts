/** Variables of UEFI firmware, in memory. */
import { done, ok } from '#hal/core/result';
import type { EfiVariables } from '#hal/linux/efi-variables';

/** @param kept outlives power, as long as whoever holds it */
export const memoryEfiVariables = (kept: Map<string, Uint8Array>): EfiVariables => ({
  read: (name, vendor) => ok(kept.get(`${name}-${vendor}`)),
  async write(name, vendor, data) {
    kept.set(`${name}-${vendor}`, data.slice());
    return done;
  },
  async remove(name, vendor) {
    kept.delete(`${name}-${vendor}`);
    return done;
  },
});
