import type { Row, Section } from '../row.ts';

/** By a real thing done to a real part of a live device. */
const taken = 'sim/levels/conditions.day.test.ts > is denied under %s while %s, and allowed again';
const deniedWithout: Row['closedBy'] = [
  taken,
  'agents/decision/decide.test.ts > is deny without %s, under its category',
  'agents/decision/decide.test.ts > an action that needs everything is denied by every subset of the facts but the whole',
];

export const failures: Section = {
  slug: 'failures',
  title: 'Failure',
  about:
    'Protected operations are denied while one of eight things cannot be established, and a refusal tells no more than it must.',
  rows: [
    { id: 'failures/identity', text: 'Identity cannot be established.', duty: 'full', closedBy: deniedWithout },
    {
      id: 'failures/authorization',
      text: 'Authorization cannot be established.',
      duty: 'full',
      closedBy: [
        taken,
        'agents/decision/decide.test.ts > is deny for an action or a resource that is not known',
        'agents/decision/decide.test.ts > lets the device restart in a bad state, but not for a stranger',
        'agents/decision/decide.test.ts > 10,000 random requests are decided as plain TypeScript decides them',
      ],
    },
    { id: 'failures/posture', text: 'The posture of the device cannot be established.', duty: 'full', closedBy: deniedWithout },
    { id: 'failures/handle', text: 'The handle of the device cannot be established.', duty: 'full', closedBy: deniedWithout },
    {
      id: 'failures/policy',
      text: 'The policy cannot be established, or its engine cannot decide.',
      duty: 'full',
      closedBy: [...deniedWithout, 'agents/decision/decide.test.ts > is deny when the engine fails, whatever the facts'],
    },
    {
      id: 'failures/ota-integrity',
      text: 'The integrity of what was installed cannot be established.',
      duty: 'full',
      closedBy: [
        ...deniedWithout,
        'agents/decision/decide.test.ts > is deny with %s',
        'agents/mind/trust.test.ts > takes %s for verified only where the finding passed',
        'agents/hands/updates.test.ts > is no image before all of it was read back: what was written counts for nothing',
        'sim/machine/slots.test.ts > passes a good slot over that is not its image, as long as the other one is',
        'sim/machine/slots.test.ts > starts no slot of which nobody says what must be in it',
        'sim/machine/firmware.parts.test.ts > measures what the slot holds into register 11 and no other: releases are told apart by it',
        'attestation/appraise.test.ts > software that no release names is contraindicated',
      ],
    },
    {
      id: 'failures/attestation',
      text: 'The outcome of Remote Attestation cannot be established.',
      duty: 'full',
      closedBy: [
        ...deniedWithout,
        'sim/cli/day.day.test.ts > sabotage %s is refused at its step with its code, and nothing recorded is lost',
      ],
    },
    {
      id: 'failures/intelligence',
      text: 'The intelligence state cannot be established.',
      duty: 'full',
      closedBy: [],
      partly:
        'Without the fact it is denied, and a judgement ends where the calls end; a machine that shows no calls at all counts as “none” on the word of its engine.',
    },
    {
      id: 'failures/unverified-artifacts',
      text: 'An artifact that fails verification is rejected.',
      duty: 'full',
      closedBy: [
        'attestation/appraise.test.ts > a verifier refuses',
        'agents/attest/verifier-link.test.ts > refuses a result %s',
        'agents/session/statements.prop.test.ts > a statement with one bit changed is refused',
        'agents/hands/permits.test.ts > does nothing when one bit of the permit is not as it was made, wherever it is',
        'ota-client/trust/custodians.test.ts > refuses fewer custodians than its threshold, and signatures of strangers',
        'ota-client/trust/bundle.test.ts > a class cannot publish what belongs to another, nor the top-level targets what belongs to a class',
        'ota-client/trust/mutation.prop.test.ts > one changed bit of a repository with $kind',
        'agents/hands/updates.test.ts > neither begins nor arms with a statement %s, permit or not (SR-01, SR-03)',
        'agents/hands/updates.test.ts > is no image before all of it was read back: what was written counts for nothing',
        'sim/peers/releases.test.ts > refuses a piece in which a bit was flipped, and arms nothing',
        'agents/defense/model.test.ts > is refused with %s',
        'agents/defense/intake.test.ts > does nothing with an outcome that is %s, and records it',
        'agents/cli/commands/audit.test.ts > refuses a proof that is cut, no proof, and no file',
        'agents/fleet/sealed.test.ts > with a bit changed anywhere, cut or lengthened it is nothing',
        'sim/cli/day.day.test.ts > sabotage %s is refused at its step with its code, and nothing recorded is lost',
      ],
    },
    {
      id: 'failures/stable-categories',
      text: 'A refusal is one of a closed list of categories and reasons, and carries neither content nor metadata.',
      duty: 'full',
      closedBy: [
        'hal/core/faults.test.ts > has the eight categories of the mission, then three operational ones',
        'hal/core/faults.test.ts > keeps what came over a wire only when it is a known code',
        'hal/remote/door.test.ts > sends a refusal as its code and nothing more (SR-10)',
        'agents/decision/decide.test.ts > every rule that forbids has a code, and no rule that permits has one',
      ],
    },
  ],
};
