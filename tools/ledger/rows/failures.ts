import type { Row, Section } from '../row.ts';

const deniedWithout: Row['closedBy'] = [
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
      closedBy: [],
      partly: 'A boot that is not verified denies, and the installer reads back what it wrote; nothing is installed yet.',
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
      closedBy: [],
      partly: 'Evidence, results, statements, permits and bundles are; no device installs a release yet.',
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
