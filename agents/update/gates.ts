/** Whether a device can be written for minutes now. A cut costs no slot; a battery that ends in the middle costs its user the device for hours. */
import { ok, type Result } from '#hal/core/result';
import type { Supply } from '#hal/ports/supply';
import type { Gates } from '#ota-client/plan/update';
import type { SupplyFacts } from '#protos/gen/types';

const leastBatteryPercent = 30;

/** A repair is possible in any state (SR-12). */
const open: Gates = { isPowered: true, isCool: true };

/** A charge that nobody can tell is none; a kernel that manages no heat leaves that to the hardware. */
export const gatesOf = ({ isOnMains, batteryPercent, isHot }: SupplyFacts): Gates => ({
  isPowered: isOnMains === true || (batteryPercent ?? 0) >= leastBatteryPercent,
  isCool: isHot !== true,
});

/** @returns what holds now, or why the hands cannot say */
export const readGates = async (supply: Supply, wanted: 'update' | 'repair'): Promise<Result<Gates>> => {
  if (wanted === 'repair') return ok(open);
  const facts = await supply.read();
  return facts.ok ? ok(gatesOf(facts.value)) : facts;
};
