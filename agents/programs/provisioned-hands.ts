/** The mind waits for hands that have a device to serve. */
import { codeOf, deny, type Failure, faultFrom } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { RemoteHands } from '#hal/remote/hands-client';
import type { HandsHello } from '#protos/gen/types';

/** How often the hands are asked while they are not there, or not provisioned. */
const waitMs = 250;

/**
 * @param meanwhile told why there is nothing to serve yet
 * @returns the first answer of hands that are provisioned; undefined when the program is told to end before
 */
export const provisionedHands = async (
  hands: RemoteHands,
  clock: Clock,
  signal: AbortSignal,
  meanwhile: (failure: Failure) => void,
): Promise<HandsHello | undefined> => {
  while (!signal.aborted) {
    const hello = await hands.hello();
    if (hello.ok && hello.value.isProvisioned) return hello.value;
    meanwhile(hello.ok ? whyNotProvisioned(hello.value) : deny('unavailable', 'program-down', codeOf(hello.fault)));
    await clock.sleep(waitMs, signal);
  }
  return undefined;
};

const whyNotProvisioned = ({ dataFault }: HandsHello): Failure => {
  if (dataFault === undefined) return deny('unavailable', 'not-provisioned');
  const [category = '', reason = ''] = dataFault.split('/');
  return { ok: false, fault: faultFrom(category, reason) };
};
