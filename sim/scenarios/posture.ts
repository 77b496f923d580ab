/** Step 3: the device looks at itself; a decision allows, one fact turns bad, the decision denies; a permit restarts the device. */

import type { Decision } from '#protos/gen/types';
import type { Device } from '#sim/world/world';
import { faultOf, faultOfCode, textOf } from './outcome.ts';
import { messaging, signIn } from './person.ts';
import { refused, type Scenario, seen } from './scenario.ts';

interface ShownFinding {
  readonly id: string;
  readonly result: string;
}

export const posture: Scenario = {
  step: 'posture',
  title: 'posture is measured, messaging is allowed; one program stops, it is denied; a permit restarts the device',
  async run(world) {
    const { device, until } = world;
    await signIn(world, device);
    const measured = await device.enigmctl('posture');
    const unmeasured = faultOf(measured);
    if (unmeasured !== undefined) return refused(unmeasured);
    const findings = measured.json['findings'] as readonly ShownFinding[];

    const allowed = await decideOn(device);
    if (!allowed.isAllowed) return refused(faultOfCode(allowed.code), { level: textOf(measured.json, 'level') });
    device.pause('linkd');
    await until('the stopped program is seen', async () => !(await decideOn(device)).isAllowed, 20_000);
    const denied = await decideOn(device);
    device.resume('linkd');
    await until('the resumed program is seen', async () => (await decideOn(device)).isAllowed, 20_000);

    const boot = device.bootId();
    const rebooted = await device.enigmctl('reboot', '--cause', 'end-of-step');
    const notRebooted = faultOf(rebooted);
    if (notRebooted !== undefined) return refused(notRebooted);
    await until('the device restarted', () => device.bootId() !== boot, 20_000);
    await device.answers();
    return seen({
      findings: findings.length,
      passing: findings.filter(({ result }) => result === 'pass').length,
      level: textOf(measured.json, 'level'),
      decision: 'allowed',
      withOneProgramStopped: denied.code,
      reboot: 'by permit',
    });
  },
};

/** The posture is measured anew when it is older than a decision may take it: ask until it was. */
const decideOn = async (device: Device): Promise<Decision> => {
  await device.app.call('posture.read', {});
  const decided = await device.app.call('decision.authorize', messaging);
  return decided.ok
    ? decided.value
    : { isAllowed: false, code: `${decided.fault.category}/${decided.fault.reason}`, reasons: [], obligations: [], facts: [] };
};
