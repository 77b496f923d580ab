/** Step 1 of the reference flow: a person signs in. That is one fact among eleven, and allows nothing by itself. */
import { messaging, presentIdentity } from './person.ts';
import { refused, type Scenario, seen } from './scenario.ts';

export const authenticate: Scenario = {
  step: 'authenticate',
  title: 'a person signs in with the identity issuer; that alone changes no decision',
  async run(world) {
    const { device } = world;
    const before = await device.app.call('decision.authorize', messaging);
    const presented = await presentIdentity(world, device);
    if (!presented.ok) return refused(presented.fault);
    const after = await device.app.call('decision.authorize', messaging);
    if (!before.ok) return refused(before.fault);
    if (!after.ok) return refused(after.fault);
    if (after.value.isAllowed)
      return refused({ category: 'authorization', reason: 'not-permitted', detail: 'a sign-in alone was allowed' });
    return seen({ assertion: 'verified', before: before.value.code, after: after.value.code });
  },
};
