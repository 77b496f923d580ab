/** The charger and the battery of a device that has none: a file of its machine says how it is fed. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { attempt, deny, ok } from '#hal/core/result';
import type { Supply } from '#hal/ports/supply';
import type { SupplyFacts } from '#protos/gen/types';

/** As it leaves the factory. */
export const onMains: SupplyFacts = { isOnMains: true, batteryPercent: 100, isHot: false };

export const writeSupply = (path: string, facts: SupplyFacts): void => {
  // Whole at once: the hands may look at any moment.
  writeFileSync(`${path}.new`, encodeMessage('SupplyFacts', facts), { mode: 0o600 });
  renameSync(`${path}.new`, path);
};

export const fileSupply = (path: string): Supply => ({
  async read() {
    if (!existsSync(path)) return ok(onMains);
    const bytes = attempt(
      () => new Uint8Array(readFileSync(path)),
      (cause) => deny('unavailable', 'storage-failed', cause),
    );
    return bytes.ok ? decodeMessage('SupplyFacts', bytes.value) : bytes;
  },
});
