import type { Section } from '../row.ts';

export const audit: Section = {
  slug: 'audit',
  title: 'Audit',
  about: 'Eight categories of records, and six fields of every administrative one.',
  rows: [
    {
      id: 'audit/authorization',
      text: 'Outcomes of sign-in, session and authorization.',
      duty: 'full',
      closedBy: [
        'agents/session/presenter.test.ts > writes down who was accepted and what was refused, in the words of the vocabulary and no others',
        'agents/mind/authorizer.test.ts > writes who asked for what under which handle, and nothing where a fact is not there',
        'agents/mind/authorizer.test.ts > makes no permit and no call for what was denied',
      ],
    },
    {
      id: 'audit/lifecycle',
      text: 'Enrolment, suspension, revocation, replacement, retirement and wipe.',
      duty: 'full',
      closedBy: [
        'agents/management/transition.test.ts > from %s by %s is durable, and one record says so',
        'agents/attest/attestor.test.ts > enrols, then attests for our own relying party, and writes down each step',
        'agents/attest/attestor.test.ts > leads back to unenrolled, and records why, when the verifier %s',
        'agents/management/visit.test.ts > is each boot once, however often the mind starts in it',
      ],
    },
    {
      id: 'audit/posture',
      text: 'Changes of posture, privacy mode and launcher.',
      duty: 'full',
      closedBy: [],
      partly:
        'Level and findings; a privacy mode and the start of an app leave records, but as changes by an administration and as decisions, and no record says which mode it was.',
    },
    {
      id: 'audit/administration',
      text: 'Changes that administrators make through Command.',
      duty: 'full',
      closedBy: [],
      partly:
        'Provisioning, restart, releases, and each change that a bundle of policy or apps makes; a bundle of configuration leaves none.',
    },
    {
      id: 'audit/network',
      text: 'Outcomes of VPN, proxy and Tor policy.',
      duty: 'full',
      closedBy: [],
      partly: 'The state of the link.',
    },
    {
      id: 'audit/release',
      text: 'Releases, rollouts, attestation and verification on the client.',
      duty: 'full',
      closedBy: [
        'agents/update/updater.test.ts > is that it was offered, written, and kept after its trial, each once and by its digest',
        'agents/update/updater.test.ts > is that it did not pass its trial',
        'agents/update/updater.test.ts > is the code of the refusal: %s',
        'agents/update/updater.test.ts > is nothing where a rollout has not reached this device',
        'agents/update/updater.test.ts > stands beside administrative records that name the signers of the release, and the gate as somebody else',
        'agents/attest/attestor.test.ts > enrols, then attests for our own relying party, and writes down each step',
        'agents/attest/attestor.test.ts > records bad news that was signed as a denial, and holds it',
      ],
    },
    {
      id: 'audit/verification',
      text: 'Hardware-backed signing, and every artifact that was verified or was not.',
      duty: 'full',
      closedBy: [],
      partly:
        'Statements, attestation results, outcomes, models, refused releases and the policy of the image; a bundle that is refused leaves no record.',
    },
    {
      id: 'audit/intelligence',
      text: 'What Threat Intelligence and Enyra detected or blocked.',
      duty: 'full',
      closedBy: [
        'agents/defense/defense.test.ts > makes a fact of what it sees, and records a change once',
        'agents/defense/intake.test.ts > stops a blocked app until the outcome expires, under a permit, and leaves records of all of it',
        'agents/defense/intake.test.ts > does nothing with an outcome that is %s, and records it',
      ],
    },
    {
      id: 'audit/field-actor',
      text: 'Who did it.',
      duty: 'full',
      closedBy: [
        'agents/mind/authorizer.test.ts > leaves an administrative record with all six fields: what was decided, then what came of it',
        'agents/management/visit.test.ts > is the visit of the technician, with all six fields, and the technician by a pseudonym alone',
        'agents/management/visit.test.ts > is a failed visit where the receipt does not verify: no actor is believed',
      ],
    },
    {
      id: 'audit/field-action',
      text: 'The category of what was done.',
      duty: 'full',
      closedBy: [
        'agents/mind/authorizer.test.ts > leaves an administrative record with all six fields: what was decided, then what came of it',
        'agents/management/visit.test.ts > is the visit of the technician, with all six fields, and the technician by a pseudonym alone',
      ],
    },
    {
      id: 'audit/field-resource',
      text: 'The category of what it was done to.',
      duty: 'full',
      closedBy: [
        'agents/mind/authorizer.test.ts > leaves an administrative record with all six fields: what was decided, then what came of it',
        'agents/management/visit.test.ts > is the visit of the technician, with all six fields, and the technician by a pseudonym alone',
      ],
    },
    {
      id: 'audit/field-time',
      text: 'When.',
      duty: 'full',
      closedBy: [
        'agents/mind/authorizer.test.ts > leaves an administrative record with all six fields: what was decided, then what came of it',
        'agents/management/visit.test.ts > is the visit of the technician, with all six fields, and the technician by a pseudonym alone',
      ],
    },
    {
      id: 'audit/field-outcome',
      text: 'What came of it.',
      duty: 'full',
      closedBy: [
        'agents/mind/authorizer.test.ts > leaves an administrative record with all six fields: what was decided, then what came of it',
        'agents/management/visit.test.ts > is the visit of the technician, with all six fields, and the technician by a pseudonym alone',
        'agents/mind/authorizer.test.ts > records as failed what the hands could not do, with the code',
        'agents/mind/authorizer.test.ts > permits nothing in another boot of the hands, and records that nothing was done',
      ],
    },
    {
      id: 'audit/field-change-reference',
      text: 'A reference to what was changed.',
      duty: 'full',
      closedBy: [
        'agents/mind/authorizer.test.ts > leaves an administrative record with all six fields: what was decided, then what came of it',
        'agents/management/visit.test.ts > is the visit of the technician, with all six fields, and the technician by a pseudonym alone',
        'agents/management/visit.test.ts > names exactly the receipt that the hands keep',
      ],
    },
  ],
};
