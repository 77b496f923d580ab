import type { Row, Section } from '../row.ts';

/** How an input that is a fact is shown to count: absent, unverified or too old, it is no input, and the answer is deny. */
const asFact: Row['closedBy'] = [
  'agents/decision/decide.test.ts > is deny without %s, under its category',
  'agents/decision/decide.test.ts > takes %s for absent when it is not verified',
  'agents/decision/decide.test.ts > is deny when %s is one millisecond too old, or measured in the future',
];
const asRequest: Row['closedBy'] = [
  'agents/decision/decide.test.ts > is deny for an action or a resource that is not known',
  'agents/decision/decide.test.ts > 10,000 random requests are decided as plain TypeScript decides them',
];

export const inputs: Section = {
  slug: 'inputs',
  title: 'Inputs of decisions',
  about: 'Eleven inputs; each fact has a source, a time and a flag that it was verified.',
  rows: [
    { id: 'inputs/actor', text: 'Who asks, and how surely that is known.', duty: 'full', closedBy: asFact },
    { id: 'inputs/handle', text: 'The pseudonym of the device for this relying party.', duty: 'full', closedBy: asFact },
    { id: 'inputs/os-trust', text: 'Lifecycle, health of the programs, whether time is known.', duty: 'full', closedBy: asFact },
    { id: 'inputs/posture', text: 'The level of the Trust Security Center.', duty: 'full', closedBy: asFact },
    { id: 'inputs/session', text: 'The state of the app’s session.', duty: 'full', closedBy: asFact },
    { id: 'inputs/action', text: 'The action that is asked for.', duty: 'full', closedBy: asRequest },
    { id: 'inputs/resource', text: 'The category of what it is asked on.', duty: 'full', closedBy: asRequest },
    { id: 'inputs/policy', text: 'Which policy is in force.', duty: 'full', closedBy: asFact },
    {
      id: 'inputs/integrity',
      text: 'Whether what was started and recorded is what it should be.',
      duty: 'full',
      closedBy: asFact,
    },
    { id: 'inputs/attestation', text: 'The outcome of Remote Attestation.', duty: 'full', closedBy: asFact },
    { id: 'inputs/intelligence', text: 'The outcome of risk evaluation, as a category.', duty: 'full', closedBy: asFact },
  ],
};
