/**
 * What can happen to a device, verb by verb: the state that it is in before, meanwhile and afterwards. A state is what an
 * app is told that asks whether it may open a message; it is the same at every level, or a level is no level.
 */
import { codeOf } from '#hal/core/result';
import type { CommandOutcome, World } from '#sim/world/world';
import { faultOf } from './outcome.ts';
import { messaging, signIn } from './person.ts';
import { putBackTpm } from './put-back-tpm.ts';

export interface FaultVerb {
  /** Does it, and waits for each state in turn. */
  readonly happen: (watch: Watch) => Promise<void>;
  /** Nobody is signed in when it happens. */
  readonly isWithoutPerson?: boolean;
  /** From the first to the last. */
  readonly states: readonly string[];
}

export interface Watch extends Pick<World, 'device'> {
  /** Waits until the device is in this state, and notes it. @throws with the state that it is in */
  reaches(state: string): Promise<void>;
  /** The same for a person who signs in again whenever the device forgot them. */
  reachesSignedIn(state: string): Promise<void>;
  /** Waits until the verifier says this of the device, and notes it. */
  attestsTo(code: string): Promise<void>;
  /** A person signs in, as they must after each start of the mind. */
  signIn(): Promise<void>;
}

const unhealthy = 'posture/programs-unhealthy';
const nobodySignedIn = 'identity/actor-missing';
const nobodyThere = 'unavailable/program-down';

type Program = Parameters<World['device']['pause']>[0];

const stopped = (program: Program, meanwhile: string): FaultVerb => ({
  states: ['allowed', meanwhile, 'allowed'],
  async happen({ device, reaches }) {
    device.pause(program);
    await reaches(meanwhile);
    device.resume(program);
    await reaches('allowed');
  },
});

/** @param meanwhile what an app is told once the program is there again */
const killed = (program: Program, meanwhile: 'allowed' | typeof nobodySignedIn): FaultVerb => ({
  states: ['allowed', meanwhile, 'allowed'],
  async happen({ device, reaches, signIn: signsIn }) {
    device.kill(program);
    await reaches(meanwhile);
    await signsIn();
    await reaches('allowed');
  },
});

export const faultVerbs: Readonly<Record<string, FaultVerb>> = {
  'the mouth stands still': stopped('linkd', unhealthy),
  // It says what programs look like; nothing is decided by it alone.
  'the engine stands still': stopped('inferd', 'allowed'),
  'the hands stand still': stopped('hald', unhealthy),
  'the mouth is killed': killed('linkd', 'allowed'),
  'the engine is killed': killed('inferd', 'allowed'),
  // Real processes have the TPM within the hands: there their end is a restart, after which nobody is signed in.
  'the hands are killed': {
    states: ['allowed', 'allowed'],
    async happen({ device, reachesSignedIn }) {
      device.kill('hald');
      await reachesSignedIn('allowed');
    },
  },
  'the mind is killed': killed('agentd', nobodySignedIn),
  'the power goes off': {
    states: ['allowed', nobodyThere, nobodySignedIn, 'allowed'],
    async happen({ device, reaches, signIn: signsIn }) {
      await device.powerOff();
      await reaches(nobodyThere);
      await device.powerOn();
      await reaches(nobodySignedIn);
      await signsIn();
      await reaches('allowed');
    },
  },
  // From here on the verifier takes nothing of it: its clock went back.
  'an older memory is put into its TPM': {
    states: ['allowed', 'attestation/clock-rollback'],
    async happen({ device, attestsTo }) {
      await putBackTpm(device);
      await attestsTo('attestation/clock-rollback');
    },
  },
  // What the clock of a TPM says after a cut is not the same of an emulated one, whose memory a cut loses: so nobody is here.
  'the power is cut': {
    isWithoutPerson: true,
    states: [nobodySignedIn, nobodyThere, nobodySignedIn],
    async happen({ device, reaches }) {
      await device.powerCut();
      await reaches(nobodyThere);
      await device.powerOn();
      await reaches(nobodySignedIn);
    },
  },
};

/** @returns the states in which it was seen. @throws where one of them is not reached */
export const seenStates = async (world: World, { happen, isWithoutPerson = false }: FaultVerb): Promise<readonly string[]> => {
  const { device, until } = world;
  const seen: string[] = [];
  const comes = async (state: string, read: () => Promise<string>): Promise<void> => {
    let last = '';
    await until(state, async () => {
      last = await read();
      return last === state;
    }).catch((error: unknown) => {
      throw new Error(`it is ${last} and never was ${state}, after ${seen.join(', ')}`, { cause: error });
    });
    seen.push(state);
  };
  const reaches = (state: string) => comes(state, () => stateOf(world));
  const reachesSignedIn = (state: string) =>
    comes(state, async () => {
      // A device that is on its way takes nobody yet.
      await signIn(world, device).catch(() => undefined);
      return stateOf(world);
    });
  const attestsTo = (code: string) => comes(code, async () => codeOfOutcome(await device.enigmctl('attest', 'now')));
  if (!isWithoutPerson) await signIn(world, device);
  await reaches(isWithoutPerson ? nobodySignedIn : 'allowed');
  await happen({ device, reaches, reachesSignedIn, attestsTo, signIn: () => signIn(world, device) });
  return seen;
};

const codeOfOutcome = (outcome: CommandOutcome): string => {
  const fault = faultOf(outcome);
  return fault === undefined ? 'affirming' : codeOf(fault);
};

const stateOf = async ({ device }: World): Promise<string> => {
  await device.app.call('posture.read', {});
  const decided = await device.app.call('decision.authorize', messaging);
  if (!decided.ok) return codeOf(decided.fault);
  return decided.value.isAllowed ? 'allowed' : decided.value.code;
};
