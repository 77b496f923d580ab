/** Step 2: account, session, several devices. A session opened here is no session on another device; recovery blocks. */
import { codeOf } from '#hal/core/result';
import { messaging, presentIdentity, presentSession } from './person.ts';
import { refused, type Scenario, seen } from './scenario.ts';

export const session: Scenario = {
  step: 'session',
  title: 'a session opens on this device; the same session on a second device is refused; recovery blocks',
  async run(world) {
    const { device } = world;
    const handle = await world.sessionHandle();
    const opened = await presentSession(world, device, { handle });
    if (!opened.ok) return refused(opened.fault);

    const second = await world.secondDevice();
    await presentIdentity(world, second);
    const copied = await presentSession(world, second, { handle });
    if (copied.ok)
      return refused({ category: 'handle', reason: 'session-of-another-device', detail: 'a copied session was accepted' });
    const onSecond = await second.app.call('decision.authorize', messaging);
    await second.powerOff();

    await presentSession(world, device, { handle, recovery: 'pending' });
    const recovering = await device.app.call('decision.authorize', messaging);
    await presentSession(world, device, { handle });
    const recovered = await device.app.call('decision.authorize', messaging);
    if (!recovered.ok) return refused(recovered.fault);
    return seen({
      session: 'open',
      onSecondDevice: codeOf(copied.fault),
      decisionThere: onSecond.ok ? onSecond.value.code : codeOf(onSecond.fault),
      duringRecovery: recovering.ok ? recovering.value.code : codeOf(recovering.fault),
      afterRecovery: recovered.value.isAllowed ? 'allowed' : recovered.value.code,
    });
  },
};
