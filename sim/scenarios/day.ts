/** The day, in order. */
import { attest } from './attest.ts';
import { authenticate } from './authenticate.ts';
import { boot } from './boot.ts';
import { emergency } from './emergency.ts';
import { enrol } from './enrol.ts';
import { handle } from './handle.ts';
import { intelligence } from './intelligence.ts';
import { network } from './network.ts';
import { policy } from './policy.ts';
import { posture } from './posture.ts';
import { provision } from './provision.ts';
import { rollout } from './rollout.ts';
import type { Scenario } from './scenario.ts';
import { session } from './session.ts';
import { update } from './update.ts';

export const day: readonly Scenario[] = [
  ...[provision, enrol, boot, attest],
  ...[authenticate, session, posture, handle, policy, network, intelligence],
  ...[update, rollout, emergency],
];
